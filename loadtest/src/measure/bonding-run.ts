import { setTimeout as sleep } from 'node:timers/promises';
import { createMonotonicClock } from '@mediaplane/media';
import type { BondingEngine, BondingProcess, Profile } from '../engines/bonding-engine.ts';
import type { Pace, TrafficTimes } from '../generator/srt-plan.ts';
import { SinkProcess, SourceProcess } from '../generator/srt-processes.ts';
import type { Result } from '../report/result.ts';
import { makeResult } from '../report/result.ts';
import { CpuMeter } from './cpu-meter.ts';
import { LATE_P99_MS, lostPercent } from './traffic-run.ts';

/** Which ends are under test; what is missing is played by the encoder or the SRT server. */
export type BondingEnds = 'receiver' | 'sender' | 'both';

export interface BondingOptions {
  readonly scenario: string;
  readonly ends: BondingEnds;
  readonly groups: number;
  readonly links: number;
  /** Of each group. */
  readonly packetsPerSecond: number;
  readonly pace: Pace;
  readonly profile: Profile;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

const LEAD_MS = 200;

const nowUs = createMonotonicClock();

/** Starts the ends, an encoder and an SRT server, streams, and measures. */
export async function runBonding(engine: BondingEngine, options: BondingOptions): Promise<Result> {
  const { ends, groups, links, profile } = options;
  await using stack = new AsyncDisposableStack();
  const sink = stack.use(await SinkProcess.start(ends === 'sender'));
  const receiver = ends === 'sender' ? undefined : stack.use(await engine.startReceiver(sink.port, profile));
  const receiverPort = receiver?.port ?? sink.port;
  const sender = ends === 'receiver' ? undefined : stack.use(await engine.startSender(receiverPort, links, profile));
  const source = stack.use(await SourceProcess.start());
  await source.connect({
    groups,
    links: sender === undefined ? links : 0,
    targetPort: sender?.port ?? receiverPort,
  });
  const times = timesOf(options);
  const [sent, counted, cpu] = await Promise.all([
    source.send(times),
    sink.count(groups, times),
    cpuDuring({ receiver, sender }, times),
  ]);
  return toResult(engine.name, options, sent, counted, cpu);
}

function timesOf({ packetsPerSecond, pace, warmUpSeconds, seconds }: BondingOptions): TrafficTimes {
  const startUs = nowUs() + LEAD_MS * 1000;
  const measureFromUs = startUs + warmUpSeconds * 1e6;
  return { packetsPerSecond, pace, startUs, measureFromUs, endUs: measureFromUs + seconds * 1e6 };
}

type Ends<T> = Readonly<Record<'receiver' | 'sender', T | undefined>>;

/** CPU seconds of either end in the measured time. */
async function cpuDuring({ receiver, sender }: Ends<BondingProcess>, times: TrafficTimes): Promise<Ends<number>> {
  await sleep((times.measureFromUs - nowUs()) / 1000);
  const [ofReceiver, ofSender] = [receiver, sender].map((end) =>
    end === undefined ? undefined : new CpuMeter(end.pid),
  );
  await sleep((times.endUs - nowUs()) / 1000);
  return { receiver: ofReceiver?.read().seconds, sender: ofSender?.read().seconds };
}

function toResult(
  engine: string,
  options: BondingOptions,
  { sent, sendErrors, scheduleErrorMs }: Awaited<ReturnType<SourceProcess['send']>>,
  { received, duplicates, latencyMs }: Awaited<ReturnType<SinkProcess['count']>>,
  cpu: Ends<number>,
): Result {
  const { scenario, groups, seconds, links, packetsPerSecond } = options;
  const cpuSeconds = (cpu.receiver ?? 0) + (cpu.sender ?? 0);
  const perPacket = (used: number | undefined): number => ((used ?? 0) * 1e6) / Math.max(sent, 1);
  const each = {
    ...(cpu.receiver === undefined ? {} : { receiverCpuMicrosPerPacket: perPacket(cpu.receiver) }),
    ...(cpu.sender === undefined ? {} : { senderCpuMicrosPerPacket: perPacket(cpu.sender) }),
  };
  return makeResult(
    { scenario, engine, channels: groups, seconds },
    {
      sent,
      received,
      lostPercent: lostPercent({ sent, received }),
      latencyMs,
      cpuPercentOfCore: { total: (100 * cpuSeconds) / seconds, aboveEmpty: (100 * cpuSeconds) / seconds },
      cpuMicrosPerPacket: perPacket(cpuSeconds),
      generatorLate: scheduleErrorMs.p99 > LATE_P99_MS,
      scheduleErrorMs,
      details: {
        ...each,
        cpuSecondsPerMillionPackets: perPacket(cpuSeconds),
        missing: sent - received,
        duplicates,
        links,
        packetsPerSecond,
        sendErrors,
      },
    },
  );
}
