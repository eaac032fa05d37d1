import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineKind } from '../engines/engine.ts';
import { Generator } from '../generator/generator.ts';
import { cpuPercentDuring } from '../measure/cpu-meter.ts';
import { processRssBytes, udpSocketMemoryBytes } from '../measure/proc.ts';
import { makeResult } from '../report/result.ts';
import type { BytesPerChannel, Result } from '../report/result.ts';
import type { ScenarioOptions } from './scenario.ts';

const SETTLE_MS = 1000;
/** Past the first RTCP reports of all channels and the compiling of what sends them: reports then go on at their rate. */
const IDLE_SETTLE_MS = 8000;
/** Channels are opened in portions: a call of thousands would be a test of patience. */
const OPEN_AT_ONCE = 1000;

/** Channels that have a remote and no packets: what they cost in CPU and in memory. */
export async function rtpIdle(kind: EngineKind, options: ScenarioOptions): Promise<Result> {
  const { channels, seconds } = options;
  const cpuPercentOfCore = await idleCpu(kind, options);
  const perChannelBytes = await memorySlope(kind, options);
  return makeResult(
    { scenario: 'rtp-idle', engine: kind.name, channels, seconds },
    { cpuPercentOfCore, rssPerChannelBytes: perChannelBytes.rss, perChannelBytes },
  );
}

async function idleCpu(kind: EngineKind, { channels, seconds, threads, progress }: ScenarioOptions) {
  await using phones = await Generator.start();
  await using engine = await kind.start({ threads, memoryProbe: false });
  const phone = await silentPhone(phones);
  await sleep(SETTLE_MS);
  progress('CPU of the empty process');
  const empty = await cpuPercentDuring(engine.pid, seconds * 1000);
  await openIdle(engine, phone, channels);
  await sleep(IDLE_SETTLE_MS);
  progress(`CPU of ${channels} idle channels`);
  const total = await cpuPercentDuring(engine.pid, seconds * 1000);
  return { total, aboveEmpty: total - empty };
}

async function memorySlope(
  kind: EngineKind,
  { channels, threads, progress }: ScenarioOptions,
): Promise<BytesPerChannel> {
  await using phones = await Generator.start();
  await using engine = await kind.start({ threads, memoryProbe: true });
  const phone = await silentPhone(phones);
  progress(`memory: warming up with ${channels} channels`);
  // No more than are open at the first sample: memory that the process keeps from here on would hide what follows.
  await openIdle(engine, phone, channels);
  await engine.closeAll();
  progress(`memory of ${channels} and of ${3 * channels} channels`);
  await openIdle(engine, phone, channels);
  const few = await sample(engine);
  await openIdle(engine, phone, 2 * channels);
  const many = await sample(engine);
  const slope = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : (to - from) / (2 * channels);
  return {
    rss: (many.rss - few.rss) / (2 * channels),
    heap: slope(few.heapBytes, many.heapBytes),
    external: slope(few.externalBytes, many.externalBytes),
    kernelSockets: (many.kernelSockets - few.kernelSockets) / (2 * channels),
  };
}

async function sample(engine: Engine) {
  await sleep(SETTLE_MS);
  // The collection comes first: the resident set is read after it.
  const memory = await engine.memory();
  return { ...memory, rss: processRssBytes(engine.pid), kernelSockets: udpSocketMemoryBytes() };
}

interface Phone {
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** Sockets that are there, so that RTCP reports cost the engine no ICMP error. */
async function silentPhone(generator: Generator): Promise<Phone> {
  const [rtpPort, rtcpPort] = await generator.open(2);
  return { rtpPort, rtcpPort };
}

/** All channels have the same phone, which is silent and reads nothing. */
async function openIdle(engine: Engine, phone: Phone, channels: number): Promise<void> {
  for (let left = channels; left > 0; left -= OPEN_AT_ONCE) {
    await engine.open('idle', {
      rtpPorts: new Array<number>(Math.min(left, OPEN_AT_ONCE)).fill(phone.rtpPort),
      rtcpPort: phone.rtcpPort,
    });
  }
}
