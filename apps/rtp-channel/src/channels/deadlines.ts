import type { ChannelSettings } from '@mediaplane/proto';

/** The timers of a channel that has a maximum duration or a controller lease. */
export class Deadlines {
  readonly #openedMs: number;
  readonly #onMaxDuration: () => void;
  readonly #onLeaseExpired: () => void;
  #durationTimer: NodeJS.Timeout | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;
  #leaseMs = 0;
  #leaseEndsMs = 0;

  /** `openedMs`: monotonic. */
  constructor(openedMs: number, onMaxDuration: () => void, onLeaseExpired: () => void) {
    this.#openedMs = openedMs;
    this.#onMaxDuration = onMaxDuration;
    this.#onLeaseExpired = onLeaseExpired;
  }

  /** Undefined: nothing to watch. */
  static needed({ maxDurationMs, controllerLeaseMs }: ChannelSettings): boolean {
    return maxDurationMs > 0 || controllerLeaseMs > 0;
  }

  set({ maxDurationMs, controllerLeaseMs }: ChannelSettings): void {
    clearTimeout(this.#durationTimer);
    if (maxDurationMs > 0) {
      const leftMs = this.#openedMs + maxDurationMs - performance.now();
      this.#durationTimer = setTimeout(this.#onMaxDuration, Math.max(leftMs, 0));
    }
    this.#leaseMs = controllerLeaseMs;
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = undefined;
    this.renewLease();
  }

  /** A call has named the channel. The timer that runs is left alone: it looks again when it fires. */
  renewLease(): void {
    if (this.#leaseMs === 0) return;
    this.#leaseEndsMs = performance.now() + this.#leaseMs;
    this.#leaseTimer ??= setTimeout(() => this.#checkLease(), this.#leaseMs);
  }

  /** Undefined without a lease. */
  leaseExpireTime(): Date | undefined {
    if (this.#leaseMs === 0) return undefined;
    return new Date(Date.now() + Math.max(this.#leaseEndsMs - performance.now(), 0));
  }

  stop(): void {
    clearTimeout(this.#durationTimer);
    clearTimeout(this.#leaseTimer);
  }

  #checkLease(): void {
    const leftMs = this.#leaseEndsMs - performance.now();
    if (leftMs <= 0) this.#onLeaseExpired();
    else this.#leaseTimer = setTimeout(() => this.#checkLease(), leftMs);
  }
}
