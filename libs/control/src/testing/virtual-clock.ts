import type { Clock, Timer } from '../clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when a test says so. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();
  readonly #startUnixMs: number;

  constructor(startUnixMs = 1_700_000_000_000) {
    this.#startUnixMs = startUnixMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#startUnixMs + this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Fires what falls due within this time, in order, and lets everything that follows from each firing settle. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = next.atMs;
      this.#pending.delete(next);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** Jumps without firing anything on the way, as a process that was suspended sees it; what is overdue fires afterwards. */
  async suspend(forMs: number): Promise<void> {
    this.#nowMs += forMs;
    const overdue = [...this.#pending].filter((pending) => pending.atMs <= this.#nowMs).sort(byTime);
    for (const pending of overdue) {
      if (!this.#pending.delete(pending)) continue;
      pending.callback();
    }
    await settle();
  }

  #next(untilMs: number): Pending | undefined {
    return [...this.#pending].filter((pending) => pending.atMs <= untilMs).sort(byTime)[0];
  }
}

/** Everything in process is microtasks, and they all run before the next turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function byTime(a: Pending, b: Pending): number {
  return a.atMs - b.atMs || a.order - b.order;
}
