import type { EngineKind } from '../engines/engine.ts';
import { runTraffic } from '../measure/traffic-run.ts';
import { makeResult } from '../report/result.ts';
import type { Result } from '../report/result.ts';
import { searchCapacity } from './capacity-search.ts';
import type { ScenarioOptions } from './scenario.ts';

const MAX_P99_MS = 20;
/** Of the packets that were due, this many were sent, or the generator was not up to it. */
const SENT_SHARE = 0.995;
const PACKETS_PER_SECOND = 50;
/** Shorter than in other scenarios: many runs, and a wide limit. */
const WARM_UP_MS = 2000;
/** A failure of the generator says nothing of the engine: tried again. */
const ATTEMPTS = 3;

/** The largest number of echoing channels of which nothing is lost and 99 % of packets are back within 20 ms. */
export async function rtpCapacity(kind: EngineKind, options: ScenarioOptions): Promise<Result> {
  const { channels: start, seconds, threads, progress } = options;
  let best = makeResult({ scenario: 'rtp-capacity', engine: kind.name, channels: 0, seconds });
  let limitedByGenerator = 0;

  const holds = async (channels: number): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1) {
      progress(`${channels} channels${attempt > 1 ? ', again' : ''}`);
      const load = {
        scenario: 'rtp-capacity',
        mode: 'echo',
        channels,
        seconds,
        threads,
        warmUpMs: WARM_UP_MS,
      } as const;
      const run = await runTraffic(kind, load);
      if (isHeld(run)) {
        best = run;
        return true;
      }
      if (!run.generatorLate) limitedByGenerator = 0;
      else if (attempt < ATTEMPTS) continue;
      else limitedByGenerator = 1;
      return false;
    }
  };
  const capacity = await searchCapacity(start, holds);
  return { ...best, details: { ...best.details, capacityChannels: capacity, limitedByGenerator } };
}

function isHeld({ channels, seconds, sent, received, latencyMs }: Result): boolean {
  const due = channels * PACKETS_PER_SECOND * seconds;
  return sent >= due * SENT_SHARE && received >= sent && latencyMs !== null && latencyMs.p99 <= MAX_P99_MS;
}
