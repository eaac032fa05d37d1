import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { ServiceError } from './errors.ts';

export interface TimedCall {
  /** Default: a new one. */
  readonly requestId?: string;
  /** On the clock that it is run with. */
  readonly deadlineMs: number;
  /** The caller's: aborting it cancels. */
  readonly callerSignal?: AbortSignal | undefined;
  /** Named in errors. */
  readonly what: string;
}

/** What the work of a call knows of its end: the deadline, or its caller's cancelling if that is first. */
export class CallScope {
  readonly deadlineMs: number;
  #requestId: string | undefined;
  #end: ServiceError | undefined;
  #abort: AbortController | undefined;
  #atDeadline: (() => void) | undefined;

  constructor({ requestId, deadlineMs }: TimedCall) {
    this.#requestId = requestId;
    this.deadlineMs = deadlineMs;
  }

  get requestId(): string {
    return (this.#requestId ??= randomUUID());
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Made when somebody asks for it: most handlers do not, and it costs more than the rest of a call's bookkeeping. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#end !== undefined) this.#abort.abort(this.#end);
    }
    return this.#abort.signal;
  }

  /** Called if the work is not done by the deadline, even if the caller had cancelled before. */
  atDeadline(callback: () => void): void {
    this.#atDeadline = callback;
  }

  end(error: ServiceError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#abort?.abort(error);
  }

  passDeadline(error: ServiceError): void {
    this.end(error);
    this.#atDeadline?.();
  }
}

/** Runs `work` until the deadline at most: the result is then an error at once, whether the work listens to its scope or not. */
export async function withDeadline<T>(
  clock: Clock,
  call: TimedCall,
  work: (scope: CallScope) => Promise<T>,
): Promise<T> {
  const { deadlineMs, callerSignal, what } = call;
  const leftMs = deadlineMs - clock.nowMs();
  if (leftMs <= 0) throw deadlineExceeded(what);
  if (callerSignal?.aborted === true) throw cancelled(what);
  const scope = new CallScope(call);
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => {
      const error = deadlineExceeded(what);
      reject(error);
      scope.passDeadline(error);
    }, leftMs);
    const onCancel = (): void => {
      const error = cancelled(what);
      reject(error);
      scope.end(error);
    };
    callerSignal?.addEventListener('abort', onCancel, { once: true });
    const run = async (): Promise<void> => {
      try {
        resolve(await work(scope));
      } catch (thrown) {
        reject(thrown);
      } finally {
        timer.cancel();
        callerSignal?.removeEventListener('abort', onCancel);
      }
    };
    void run();
  });
}

export function deadlineExceeded(what: string): ServiceError {
  return new ServiceError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', `no answer in time from ${what}`);
}

export function cancelled(what: string): ServiceError {
  return new ServiceError('CANCELLED', 'CANCELLED', `the caller gave up on ${what}`);
}
