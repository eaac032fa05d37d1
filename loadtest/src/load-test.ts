import type { Arguments, EngineName, ScenarioName } from './arguments.ts';
import { bareCoalescing, bareImmediate } from './engines/bare.ts';
import type { EngineKind } from './engines/engine.ts';
import { rtpChannel } from './engines/rtp-channel.ts';
import { rtpengine } from './engines/rtpengine.ts';
import type { EngineRuns, Figures } from './report/compare.ts';
import { ratios, summarise } from './report/compare.ts';
import type { Result } from './report/result.ts';
import { format } from './report/table.ts';
import { busCommand } from './scenarios/bus-command.ts';
import { rtpCapacity } from './scenarios/rtp-capacity.ts';
import { rtpChurn } from './scenarios/rtp-churn.ts';
import { rtpFlood } from './scenarios/rtp-flood.ts';
import { rtpIdle } from './scenarios/rtp-idle.ts';
import { rtpEcho, rtpRelay } from './scenarios/rtp-traffic.ts';
import type { Scenario } from './scenarios/scenario.ts';

const RUN: Readonly<Record<ScenarioName, Scenario>> = {
  'rtp-idle': rtpIdle,
  'rtp-echo': rtpEcho,
  'rtp-relay': rtpRelay,
  'rtp-capacity': rtpCapacity,
  'rtp-churn': rtpChurn,
  'rtp-flood': rtpFlood,
  'bus-command': busCommand,
};

const KINDS: Readonly<Record<EngineName, readonly EngineKind[]>> = {
  ours: [rtpChannel],
  // Both, so that what coalescing saves is never taken for the price of protocol work.
  bare: [bareCoalescing, bareImmediate],
  rtpengine: [rtpengine],
};

/** Something that has to be there is not; the message is for the user. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

export interface Comparison {
  readonly engines: readonly EngineRuns[];
  /** The first engine's medians over each peer's. */
  readonly ratios: Readonly<Record<string, Figures>>;
}

/** Runs engine and peers by turns (A B A B ...), so that a change of the machine's mood hits all of them alike. */
export async function loadTest(args: Arguments, progress: (text: string) => void): Promise<Comparison> {
  const { scenario, engine, peer, runs, channels, seconds, threads } = args;
  const kinds = [KINDS[engine][0], ...(peer === null ? [] : KINDS[peer])];
  for (const kind of kinds) {
    const obstacle = kind.unavailable();
    if (obstacle !== null) throw new UnavailableError(obstacle);
  }
  const results = kinds.map((): Result[] => []);
  for (let run = 1; run <= runs; run += 1) {
    for (const [i, kind] of kinds.entries()) {
      const who = `${scenario} ${run}/${runs} ${kind.name}`;
      const result = await RUN[scenario](kind, {
        channels,
        seconds,
        threads,
        progress: (text) => progress(`${who}: ${text} ...`),
      });
      results[i].push(result);
      progress(`${who}: ${headline(result)}`);
    }
  }
  const engines = kinds.map((kind, i) => summarise(kind.name, results[i]));
  const [first, ...peers] = engines;
  return { engines, ratios: Object.fromEntries(peers.map((other) => [other.engine, ratios(first, other)])) };
}

function headline(result: Result): string {
  const { median } = summarise(result.engine, [result]);
  const parts = Object.entries(median).map(([name, value]) => `${name} ${format(value)}`);
  return `${parts.join(', ')}${result.generatorLate ? ' (generator late: do not believe)' : ''}`;
}
