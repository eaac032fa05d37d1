/** A condition that was not met in time; the message says what was waited for and what there was instead. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
}

export interface WaitOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
  /** What is waited for, in the words of the failure message. */
  readonly what?: string;
}

interface Waiter {
  readonly check: () => boolean;
  readonly reject: (error: Error) => void;
}

export const DEFAULT_WAIT_MS = 5000;

/** Promises that resolve when something comes true. Whoever changes the state calls `changed()`: nothing polls. */
export class WaitList {
  private readonly waiters = new Set<Waiter>();
  private readonly state: () => string;

  /** `state` describes what there is, for the message of a wait that timed out. */
  constructor(state: () => string) {
    this.state = state;
  }

  /** Resolves with the first value of `look` that is neither undefined, null nor false; looks at once, then at each change. */
  until<T>(look: () => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    const { timeoutMs = DEFAULT_WAIT_MS, what = 'a condition' } = options;
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error);
      };
      const check = (): boolean => {
        try {
          const value = look();
          if (value === undefined || value === null || value === false) return false;
          settle();
          resolve(value);
        } catch (error) {
          fail(error);
        }
        return true;
      };
      const waiter: Waiter = { check, reject: fail };
      const timer = setTimeout(() => {
        fail(new WaitTimeoutError(`${what}: not within ${timeoutMs} ms; ${this.state()}`));
      }, timeoutMs);
      if (!check()) this.waiters.add(waiter);
    });
  }

  changed(): void {
    for (const waiter of [...this.waiters]) waiter.check();
  }

  /** Rejects everything that still waits: what it waits for cannot come any more. */
  abandon(reason: string): void {
    for (const waiter of [...this.waiters]) waiter.reject(new Error(`${reason}; ${this.state()}`));
  }
}
