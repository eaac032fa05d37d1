/** What the parent says to the two processes of an SRT load test, and what they answer. Plain data, by IPC. */

/** How packets are spread in time: one by one, or all that a millisecond has at once, as many encoders send. */
export type Pace = 'even' | 'burst';

export interface SourcePlan {
  /** Streams, each a group of its own where `links` is above 0. */
  readonly groups: number;
  /** 0: plays the encoder alone. Else also the bonding sender: so many links for each group, taken in turn. */
  readonly links: number;
  /** Where the encoder or its links send to, on the loopback interface. */
  readonly targetPort: number;
}

export interface TrafficTimes {
  /** Packets a second of each group. */
  readonly packetsPerSecond: number;
  readonly pace: Pace;
  /** All times are microseconds of the machine's monotonic clock, which all processes read. */
  readonly startUs: number;
  /** Packets before this are warm-up: sent, and not counted. */
  readonly measureFromUs: number;
  readonly endUs: number;
}

export interface SourceResult {
  /** Packets of the measured time that the kernel took. */
  readonly sent: number;
  readonly sendErrors: number;
  /** How late the sends were. */
  readonly scheduleErrorMs: { readonly p99: number; readonly max: number };
}

export interface SinkResult {
  /** Packets of the measured time, each counted once. */
  readonly received: number;
  readonly duplicates: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
}

export type ToSource =
  /** Resolves when every SRT session stands. */
  { readonly type: 'connect'; readonly plan: SourcePlan } | { readonly type: 'send'; readonly times: TrafficTimes };

export type FromSource =
  | { readonly type: 'connected' }
  | { readonly type: 'sent'; readonly result: SourceResult }
  | { readonly type: 'failed'; readonly message: string };

export type ToSink =
  /** `bonded`: plays the SRTLA receiver too. */
  | { readonly type: 'listen'; readonly bonded: boolean }
  /** Answers at once; the result comes after `endUs`. */
  | { readonly type: 'count'; readonly groups: number; readonly times: TrafficTimes };

export type FromSink =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'counted'; readonly result: SinkResult }
  | { readonly type: 'failed'; readonly message: string };
