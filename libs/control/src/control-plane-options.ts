import type { Bus } from './bus/bus.ts';
import type { Clock } from './clock.ts';
import type { Codec } from './codec.ts';
import type { Capacity, Instance } from './fleet/instance.ts';
import type { Logger } from './logger.ts';
import type { DirectoryEntry } from './sessions/sessions.ts';

/** `Rec` is the directory's record of a session, `Ev` the message of one event. */
export interface ControlPlaneOptions<Rec, Ev> {
  /** Name in subjects and buckets: `rtp-channel`. */
  readonly service: string;
  /** First part of session ids: `ch`. */
  readonly kind: string;
  /** Default: random. Must be new at each process start. */
  readonly instanceId?: string;
  readonly bus: Bus;
  readonly zone: string;
  readonly addresses: Readonly<Record<string, string>>;
  readonly version: string;
  capacity(): Capacity;
  /** 0 to 1; default used / limit. */
  load?(): number;
  readonly record: Codec<Rec>;
  readonly event: Codec<Ev>;
  /** The final event of a session whose instance was lost. Called on the survivor that declares it. */
  lostEvent(lost: DirectoryEntry<Rec>): Ev;
  /**
   * This instance was declared lost and its grace is over: close the media of these sessions, now. Their `closed` events were
   * already published by the survivor, so publish none. Afterwards the instance rejoins the fleet.
   */
  onOrphaned(sessionIds: readonly string[]): void | Promise<void>;
  /** Somebody asked this instance to drain, or took it back. */
  onStateChange?(state: Instance['state']): void;
  /**
   * Asked before an instance whose lease has lapsed is declared lost: is it alive by another way (its gRPC port)? An instance
   * that is cut off from the bus alone then keeps its sessions. Without it the lease alone decides.
   */
  probe?(instance: Instance): Promise<boolean>;
  /** Event-loop lag in milliseconds, for the overload gate. */
  loopLagMs?(): number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly logger?: Logger;
  readonly limits?: Partial<ControlLimits>;
}

export interface ControlLimits {
  /** An instance that has not renewed for this long may be declared lost. Renewed every third of it. Default 5000. */
  readonly leaseTtlMs: number;
  /** Default 1000, jittered by a fifth. */
  readonly heartbeatIntervalMs: number;
  /** How long an instance that was declared lost keeps its media. Default 30,000. */
  readonly orphanGraceMs: number;
  /** Calls handled at once on this instance; more get RESOURCE_EXHAUSTED. Default 1000. */
  readonly maxConcurrentCalls: number;
  /** Loop lag from which the gate begins to close. Default 50. */
  readonly loopLagTargetMs: number;
  /** How long records wait for their session to end again. Default 100. */
  readonly flushIntervalMs: number;
  /** Records and events that may wait while the bus is away before new sessions are refused. Default 100,000. */
  readonly maxPendingWrites: number;
  /** Default 1 hour. */
  readonly eventMaxAgeMs: number;
  /** Default 256 MiB. */
  readonly eventMaxBytes: number;
  /** A watcher that lags by more events is ended with RESOURCE_EXHAUSTED. Default 50,000. */
  readonly maxWatchLag: number;
  /** How long the request id of a create is remembered fleet-wide. Default 10 minutes. */
  readonly requestIdTtlMs: number;
  /** Responses of mutations that this instance remembers. Default 10,000. */
  readonly maxRememberedResponses: number;
}

export const DEFAULT_LIMITS: ControlLimits = {
  leaseTtlMs: 5_000,
  heartbeatIntervalMs: 1_000,
  orphanGraceMs: 30_000,
  maxConcurrentCalls: 1_000,
  loopLagTargetMs: 50,
  flushIntervalMs: 100,
  maxPendingWrites: 100_000,
  eventMaxAgeMs: 3_600_000,
  eventMaxBytes: 256 * 1024 * 1024,
  maxWatchLag: 50_000,
  requestIdTtlMs: 600_000,
  maxRememberedResponses: 10_000,
};
