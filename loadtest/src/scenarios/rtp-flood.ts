import type { EngineKind } from '../engines/engine.ts';
import { Generator } from '../generator/generator.ts';
import type { TrafficResult } from '../generator/plan.ts';
import { LATE_P99_MS, lostPercent, openStreams, planTraffic } from '../measure/traffic-run.ts';
import { makeResult } from '../report/result.ts';
import type { Result } from '../report/result.ts';
import type { ScenarioOptions } from './scenario.ts';

const FLOOD_PACKETS_PER_SECOND = 100_000;
const STRANGERS = 8;
const WARM_UP_MS = 1500;

/**
 * Strangers send 100,000 packets a second to the port of one channel, whose own phone talks too, while the others talk: their
 * latency without the flood and with it, from one engine process.
 */
export async function rtpFlood(kind: EngineKind, options: ScenarioOptions): Promise<Result> {
  const { channels, seconds, threads, progress } = options;
  await using engine = await kind.start({ threads, memoryProbe: false });
  await using phones = await Generator.start('phones');
  await using strangers = await Generator.start('strangers');
  await strangers.open(STRANGERS);
  const [victim, ...others] = await openStreams(engine, phones, 'echo', channels + 1);
  const streams = [{ ...victim, counted: false }, ...others];

  progress(`${channels} channels talk`);
  const without = await phones.traffic(planTraffic(streams, WARM_UP_MS, seconds));
  progress('strangers flood one more');
  const plan = planTraffic(streams, WARM_UP_MS, seconds);
  const [during, flood] = await Promise.all([
    phones.traffic(plan),
    strangers.flood({
      targetPort: victim.targetPort,
      packetsPerSecond: FLOOD_PACKETS_PER_SECOND,
      // The warm-up is for the phones alone, so that the victim's phone is known before strangers come.
      startUs: plan.startUs + (WARM_UP_MS * 1000) / 2,
      endUs: plan.endUs,
    }),
  ]);
  return makeResult(
    { scenario: 'rtp-flood', engine: kind.name, channels, seconds },
    {
      sent: during.sent,
      received: during.received,
      lostPercent: lostPercent(during),
      latencyMs: during.latencyMs,
      generatorLate: isLate(without) || isLate(during),
      scheduleErrorMs: { p99: during.scheduleErrorMs.p99, max: during.scheduleErrorMs.max },
      details: {
        p99WithoutFloodMs: without.latencyMs.p99,
        p99Ratio: during.latencyMs.p99 / without.latencyMs.p99,
        floodPacketsPerSecond: flood.packetsPerSecond,
      },
    },
  );
}

function isLate({ scheduleErrorMs }: TrafficResult): boolean {
  return scheduleErrorMs.p99 > LATE_P99_MS;
}
