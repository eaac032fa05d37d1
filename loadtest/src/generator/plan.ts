import type { LatencyMs } from '../measure/histogram.ts';

/** What the parent and the generator process say to each other. Plain data, by IPC. */

/** One flow of 50 packets a second. `socket` indexes the ports that `open` answered with. */
export interface Stream {
  readonly socket: number;
  /** Port of the engine on the loopback interface. */
  readonly targetPort: number;
  /** Where its packets come out: the same socket for an echo, phone B's for a relay. */
  readonly echoSocket: number | null;
  /** False: it is there, but nothing of it is measured. */
  readonly counted: boolean;
}

export interface TrafficPlan {
  readonly streams: readonly Stream[];
  /** All times are microseconds of the machine's monotonic clock, which both processes read. */
  readonly startUs: number;
  /** Packets before this are warm-up: sent, answered, and not counted. */
  readonly measureFromUs: number;
  readonly endUs: number;
}

export interface FloodPlan {
  readonly targetPort: number;
  readonly packetsPerSecond: number;
  readonly startUs: number;
  readonly endUs: number;
}

export interface TrafficResult {
  /** Packets of streams that were due in the measured time and that the kernel took. */
  readonly sent: number;
  /** Those of them that came back; each is counted once. */
  readonly received: number;
  /** Packets that phone B sent back, in the measured time. */
  readonly echoed: number;
  /** Packets that came out at a socket of another stream. */
  readonly misrouted: number;
  readonly sendErrors: number;
  readonly latencyMs: LatencyMs;
  /** How late the generator itself was, send by send. */
  readonly scheduleErrorMs: LatencyMs;
}

export interface FloodResult {
  readonly sent: number;
  readonly packetsPerSecond: number;
}

export type ToGenerator =
  | { readonly type: 'open'; readonly sockets: number }
  | { readonly type: 'traffic'; readonly plan: TrafficPlan }
  | { readonly type: 'flood'; readonly plan: FloodPlan };

export type FromGenerator =
  | { readonly type: 'opened'; readonly ports: readonly number[] }
  | { readonly type: 'traffic'; readonly result: TrafficResult }
  | { readonly type: 'flood'; readonly result: FloodResult }
  | { readonly type: 'failed'; readonly message: string };
