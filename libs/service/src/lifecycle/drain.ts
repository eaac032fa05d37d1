import { ServiceError, systemClock } from '@mediaplane/control';
import type { Clock, Timer } from '@mediaplane/control';
import type { Logger } from 'pino';

export type DrainState = 'serving' | 'draining' | 'stopping';

export interface DrainStatus {
  readonly startUnixMs: number;
  readonly deadlineUnixMs: number;
  readonly reason: string;
}

export interface DrainOptions {
  sessions(): number;
  /** Closes every session with reason `shutdown`; resolves when they are gone. */
  closeAll(): Promise<void>;
  /** Says it on the fleet subject and in health. */
  onState(state: DrainState): void;
  readonly log: Logger;
  readonly clock?: Clock;
}

const POLL_MS = 100;

/**
 * Emptying an instance: no new sessions, those there are go on until they end or the grace period does, then the rest is closed.
 * `drain` can be undone; `stop` is the end of the process.
 */
export class Drain {
  private readonly options: DrainOptions;
  private readonly clock: Clock;
  private current: DrainState = 'serving';
  private active: { startMs: number; startUnixMs: number; deadlineMs: number; reason: string } | undefined;
  private timer: Timer | undefined;
  private closing = false;
  private readonly empty = Promise.withResolvers<void>();

  constructor(options: DrainOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  get state(): DrainState {
    return this.current;
  }

  /** Undefined while serving. */
  status(): DrainStatus | undefined {
    if (this.active === undefined) return undefined;
    const { startMs, startUnixMs, deadlineMs, reason } = this.active;
    return { startUnixMs, deadlineUnixMs: startUnixMs + (deadlineMs - startMs), reason };
  }

  /** Milliseconds until what is left is closed, at least 0; undefined while serving. */
  remainingMs(): number | undefined {
    return this.active === undefined ? undefined : Math.max(0, this.active.deadlineMs - this.clock.nowMs());
  }

  /** A new call sets a new deadline. @throws ServiceError FAILED_PRECONDITION while stopping. */
  drain(graceMs: number, reason: string): void {
    this.refuseWhileStopping();
    this.begin('draining', graceMs, reason);
  }

  /** @throws ServiceError FAILED_PRECONDITION while stopping. */
  undrain(): void {
    this.refuseWhileStopping();
    if (this.current === 'serving') return;
    this.timer?.cancel();
    this.active = undefined;
    this.current = 'serving';
    this.options.log.info('takes sessions again');
    this.options.onState('serving');
  }

  /** Resolves when no session is left. A further call with a shorter grace hastens it; one with a longer grace changes nothing. */
  stop(graceMs: number, reason: string): Promise<void> {
    const remainingMs = this.current === 'stopping' ? this.remainingMs() : undefined;
    if (remainingMs === undefined || graceMs < remainingMs) this.begin('stopping', graceMs, reason);
    return this.empty.promise;
  }

  private refuseWhileStopping(): void {
    if (this.current === 'stopping') {
      throw new ServiceError('FAILED_PRECONDITION', 'INSTANCE_STOPPING', 'the instance is stopping');
    }
  }

  private begin(state: 'draining' | 'stopping', graceMs: number, reason: string): void {
    const nowMs = this.clock.nowMs();
    this.active = { startMs: nowMs, startUnixMs: this.clock.unixMs(), deadlineMs: nowMs + graceMs, reason };
    this.current = state;
    this.options.log.info({ reason, graceMs, sessions: this.options.sessions() }, state);
    this.options.onState(state);
    this.check();
  }

  private check(): void {
    this.timer?.cancel();
    if (this.active === undefined) return;
    if (this.options.sessions() === 0) {
      if (this.current === 'stopping') this.empty.resolve();
      return;
    }
    if (this.clock.nowMs() >= this.active.deadlineMs && !this.closing) void this.closeRest();
    this.timer = this.clock.setTimer(() => this.check(), POLL_MS);
  }

  private async closeRest(): Promise<void> {
    this.closing = true;
    this.options.log.warn({ sessions: this.options.sessions() }, 'grace period over, closing what is left');
    try {
      await this.options.closeAll();
    } catch (err) {
      this.options.log.error({ err }, 'closing sessions failed');
    }
    this.closing = false;
    this.check();
  }
}
