import type { Arguments } from './arguments/arguments.ts';
import type { FailoverArguments } from './arguments/failover-arguments.ts';
import type { RtpArguments, RtpEngineName, RtpPeerName, RtpScenarioName } from './arguments/rtp-arguments.ts';
import type { SrtlaArguments } from './arguments/srtla-arguments.ts';
import { bareCoalescing, bareImmediate } from './engines/bare.ts';
import type { EngineKind } from './engines/engine.ts';
import { rtpChannel } from './engines/rtp-channel.ts';
import { rtpengine } from './engines/rtpengine.ts';
import { srtlaGateway } from './engines/srtla-gateway.ts';
import { srtlaPair } from './engines/srtla-pair.ts';
import { ours, pair } from './failover/failover-engine.ts';
import { runFailover } from './failover/failover-run.ts';
import { missingTools } from './failover/stage.ts';
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
import { srtla } from './scenarios/srtla.ts';

const RUN: Readonly<Record<RtpScenarioName, Scenario>> = {
  'rtp-idle': rtpIdle,
  'rtp-echo': rtpEcho,
  'rtp-relay': rtpRelay,
  'rtp-capacity': rtpCapacity,
  'rtp-churn': rtpChurn,
  'rtp-flood': rtpFlood,
  'bus-command': busCommand,
};

const KINDS: Readonly<Record<RtpEngineName | RtpPeerName, readonly EngineKind[]>> = {
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
  /** By peer: what the first engine needs of what the peer needs, as `ratios` reckons. */
  readonly ratios: Readonly<Record<string, Figures>>;
}

/** Something that is run and measured, by turns with others. */
interface Contestant {
  readonly name: string;
  /** Why it cannot run here; null if it can. */
  unavailable(): string | null;
  run(progress: (text: string) => void): Promise<Result>;
}

/** Runs engine and peers by turns (A B A B ...), so that a change of the machine's mood hits all of them alike. */
export async function loadTest(args: Arguments, progress: (text: string) => void): Promise<Comparison> {
  const { scenario, runs } = args;
  const contestants = contestantsOf(args);
  for (const contestant of contestants) {
    const obstacle = contestant.unavailable();
    if (obstacle !== null) throw new UnavailableError(obstacle);
  }
  const results = contestants.map((): Result[] => []);
  for (let run = 1; run <= runs; run += 1) {
    for (const [i, contestant] of contestants.entries()) {
      const who = `${scenario} ${run}/${runs} ${contestant.name}`;
      const result = await contestant.run((text) => progress(`${who}: ${text} ...`));
      results[i].push(result);
      progress(`${who}: ${headline(result)}`);
    }
  }
  const engines = contestants.map(({ name }, i) => summarise(name, results[i]));
  // Of what must not happen there is no ratio.
  const [first, ...peers] = 'events' in args ? [] : engines;
  return { engines, ratios: Object.fromEntries(peers.map((other) => [other.engine, ratios(first, other)])) };
}

function contestantsOf(args: Arguments): Contestant[] {
  if ('channels' in args) return rtpContestants(args);
  return 'events' in args ? failoverContestants(args) : bondingContestants(args);
}

function rtpContestants({ scenario, engine, peer, ...rest }: RtpArguments & Arguments): Contestant[] {
  return [KINDS[engine][0], ...(peer === null ? [] : KINDS[peer])].map((kind) => ({
    name: kind.name,
    unavailable: () => kind.unavailable(),
    run: (progress) => RUN[scenario](kind, { ...rest, progress }),
  }));
}

function bondingContestants({ scenario, peer, ...rest }: SrtlaArguments & Arguments): Contestant[] {
  return [srtlaGateway, ...(peer === null ? [] : [srtlaPair(peer)])].map((engine) => ({
    name: engine.name,
    unavailable: () => engine.unavailable(),
    run: (progress) => srtla(scenario, engine, { ...rest, progress }),
  }));
}

/** Of an SRT session that is to lose nothing, whichever way a link goes. */
const LATENCY_MS = 200;

/** Each engine with each event. */
function failoverContestants({ events, peer, latencyMs, ...rest }: FailoverArguments): Contestant[] {
  return events.flatMap((event) =>
    [ours, ...(peer === null ? [] : [pair(peer)])].map((engine) => ({
      name: events.length === 1 ? engine.name : `${engine.name}, ${event.name}`,
      unavailable: () => missingTools() ?? engine.unavailable(),
      run: (progress) => {
        progress(event.text);
        return runFailover(engine, { ...rest, event, latencyMs: latencyMs || (event.latencyMs ?? LATENCY_MS) });
      },
    })),
  );
}

function headline(result: Result): string {
  const { median } = summarise(result.engine, [result]);
  const parts = Object.entries(median).map(([name, value]) => `${name} ${format(value)}`);
  return `${parts.join(', ')}${result.generatorLate ? ' (generator late: do not believe)' : ''}`;
}
