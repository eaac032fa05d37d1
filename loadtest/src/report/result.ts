import type { LatencyMs } from '../measure/histogram.ts';

/** Bytes for each open channel: the slope between N and 3N of them, after a warm-up and a forced garbage collection. */
export interface BytesPerChannel {
  readonly rss: number;
  /** All isolates: the control thread and the media threads. Null where the engine cannot tell. */
  readonly heap: number | null;
  readonly external: number | null;
  /** Buffers of the machine's UDP sockets, as /proc/net/sockstat counts them. */
  readonly kernelSockets: number;
}

/** One run. The fields that a scenario does not measure are null. */
export interface Result {
  readonly scenario: string;
  readonly engine: string;
  readonly channels: number;
  readonly seconds: number;
  readonly sent: number;
  readonly received: number;
  readonly lostPercent: number | null;
  readonly latencyMs: LatencyMs | null;
  readonly cpuPercentOfCore: { readonly total: number; readonly aboveEmpty: number } | null;
  /** CPU of the engine process, all threads, over the packets that it was sent; each of them it also sends on. */
  readonly cpuMicrosPerPacket: number | null;
  readonly rssPerChannelBytes: number | null;
  readonly perChannelBytes: BytesPerChannel | null;
  /** The generator missed its own schedule: do not believe this run. */
  readonly generatorLate: boolean;
  readonly scheduleErrorMs: { readonly p99: number; readonly max: number } | null;
  /** Figures of this scenario alone. */
  readonly details: Readonly<Record<string, number>>;
}

const NOTHING_MEASURED = {
  sent: 0,
  received: 0,
  lostPercent: null,
  latencyMs: null,
  cpuPercentOfCore: null,
  cpuMicrosPerPacket: null,
  rssPerChannelBytes: null,
  perChannelBytes: null,
  generatorLate: false,
  scheduleErrorMs: null,
  details: {},
} as const satisfies Partial<Result>;

type Identity = Pick<Result, 'scenario' | 'engine' | 'channels' | 'seconds'>;

/** A run, and what was measured in it. */
export function makeResult(
  { scenario, engine, channels, seconds }: Identity,
  measured: Partial<Omit<Result, keyof Identity>> = {},
): Result {
  return { scenario, engine, channels, seconds, ...NOTHING_MEASURED, ...measured };
}
