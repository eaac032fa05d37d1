import type { ControlCounters } from '../counters.ts';
import type { CallScope } from '../deadline.ts';
import { ServiceError } from '../errors.ts';

export interface GateOptions {
  readonly maxConcurrent: number;
  /** Event-loop lag from which the gate closes in proportion: at twice the target half as many calls may run. */
  readonly loopLagTargetMs: number;
  loopLagMs(): number;
}

const RETRY_AFTER_MS = 200;

/** Turns calls away before they queue: an instance that answers late to all is worth less than one that refuses some. */
export class OverloadGate {
  readonly #options: GateOptions;
  readonly #counters: ControlCounters;
  #running = 0;

  constructor(options: GateOptions, counters: ControlCounters) {
    this.#options = options;
    this.#counters = counters;
  }

  get limit(): number {
    const { maxConcurrent, loopLagTargetMs } = this.#options;
    const open = Math.min(1, loopLagTargetMs / Math.max(this.#options.loopLagMs(), 1));
    return Math.max(1, Math.floor(maxConcurrent * open));
  }

  /** The work keeps its place until it has ended, even if its caller has not waited; but never beyond the deadline. */
  async run<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limit) {
      this.#counters.callsRefused++;
      throw ServiceError.exhausted('OVERLOADED', `${this.#running} calls are running on this instance`, RETRY_AFTER_MS);
    }
    this.#running++;
    let hasPlace = true;
    scope.atDeadline(() => {
      if (!hasPlace) return;
      hasPlace = false;
      this.#running--;
      this.#counters.callsOverdue++;
    });
    try {
      return await work();
    } finally {
      if (hasPlace) this.#running--;
      hasPlace = false;
    }
  }
}
