import { setTimeout as sleep } from 'node:timers/promises';
import { createMonotonicClock } from '@mediaplane/media';
import type { Engine, EngineKind } from '../engines/engine.ts';
import { Generator } from '../generator/generator.ts';
import type { Stream, TrafficPlan, TrafficResult } from '../generator/plan.ts';
import type { Result } from '../report/result.ts';
import { makeResult } from '../report/result.ts';
import { CpuMeter, cpuPercentDuring } from './cpu-meter.ts';

export interface TrafficOptions {
  readonly scenario: string;
  readonly mode: 'echo' | 'relay';
  /** Legs: a relay has one call for two of them. */
  readonly channels: number;
  readonly seconds: number;
  readonly threads: number;
  readonly warmUpMs?: number;
}

/** The compilers are done with what runs per packet. */
const WARM_UP_MS = 4000;
const EMPTY_MS = 1000;
/** Between the order to the generator and the first packet. */
const LEAD_MS = 150;
/** A generator that is later than this with one send in a hundred has measured itself. */
export const LATE_P99_MS = 1;

const nowUs = createMonotonicClock();

/** Starts an engine and a generator, opens the channels, sends, and measures. */
export async function runTraffic(kind: EngineKind, options: TrafficOptions): Promise<Result> {
  const { threads, mode, channels, seconds, warmUpMs = WARM_UP_MS } = options;
  await using engine = await kind.start({ threads, memoryProbe: false });
  await using generator = await Generator.start();
  const emptyPercent = await cpuPercentDuring(engine.pid, EMPTY_MS);
  const streams = await openStreams(engine, generator, mode, channels);
  const plan = planTraffic(streams, warmUpMs, seconds);
  const [traffic, cpu] = await Promise.all([generator.traffic(plan), cpuDuring(engine.pid, plan)]);
  return toResult(kind.name, options, traffic, cpu, emptyPercent);
}

/** Phones and channels for them, ready to be sent through. */
export async function openStreams(
  engine: Engine,
  generator: Generator,
  mode: 'echo' | 'relay',
  channels: number,
): Promise<Stream[]> {
  const rtpPorts = await generator.open(channels);
  const [rtcpPort] = await generator.open(1);
  const enginePorts = await engine.open(mode, { rtpPorts, rtcpPort });
  const toStream = (targetPort: number, socket: number): Stream => ({
    socket,
    targetPort,
    echoSocket: mode === 'relay' ? socket + 1 : null,
    counted: true,
  });
  // Of a call, phone A (even) sends and phone B (odd) answers.
  return enginePorts.map(toStream).filter((stream) => mode === 'echo' || stream.socket % 2 === 0);
}

export function planTraffic(streams: readonly Stream[], warmUpMs: number, seconds: number): TrafficPlan {
  const startUs = nowUs() + LEAD_MS * 1000;
  const measureFromUs = startUs + warmUpMs * 1000;
  return { streams, startUs, measureFromUs, endUs: measureFromUs + seconds * 1e6 };
}

async function cpuDuring(pid: number, plan: TrafficPlan): Promise<ReturnType<CpuMeter['read']>> {
  await sleep((plan.measureFromUs - nowUs()) / 1000);
  const meter = new CpuMeter(pid);
  await sleep((plan.endUs - nowUs()) / 1000);
  return meter.read();
}

export function lostPercent({ sent, received }: { sent: number; received: number }): number {
  return sent === 0 ? 0 : (100 * (sent - received)) / sent;
}

function toResult(
  engine: string,
  { scenario, channels, seconds }: TrafficOptions,
  traffic: TrafficResult,
  cpu: ReturnType<CpuMeter['read']>,
  emptyPercent: number,
): Result {
  const packetsIntoEngine = traffic.sent + traffic.echoed;
  return makeResult(
    { scenario, engine, channels, seconds },
    {
      sent: traffic.sent,
      received: traffic.received,
      lostPercent: lostPercent(traffic),
      latencyMs: traffic.latencyMs,
      cpuPercentOfCore: { total: cpu.percentOfCore, aboveEmpty: cpu.percentOfCore - emptyPercent },
      cpuMicrosPerPacket: packetsIntoEngine === 0 ? null : (cpu.seconds * 1e6) / packetsIntoEngine,
      generatorLate: traffic.scheduleErrorMs.p99 > LATE_P99_MS,
      scheduleErrorMs: { p99: traffic.scheduleErrorMs.p99, max: traffic.scheduleErrorMs.max },
      details: { misrouted: traffic.misrouted, sendErrors: traffic.sendErrors },
    },
  );
}
