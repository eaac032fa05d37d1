import { deadlineExceeded } from '../bus/request-wire.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';

/**
 * Runs `work` until the deadline at most. Its signal aborts at the deadline and when the caller's does; the result is then an
 * error at once, whether the work listens to the signal or not.
 */
export async function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  callerSignal: AbortSignal | undefined,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const leftMs = deadlineMs - clock.nowMs();
  if (leftMs <= 0) throw deadlineExceeded(what);
  if (callerSignal?.aborted === true) throw cancelled(what);
  const stop = new AbortController();
  const timer = clock.setTimer(() => stop.abort(deadlineExceeded(what)), leftMs);
  const onCancel = (): void => stop.abort(cancelled(what));
  callerSignal?.addEventListener('abort', onCancel, { once: true });
  try {
    const stopped = new Promise<never>((_, reject) => {
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
    });
    return await Promise.race([work(stop.signal), stopped]);
  } finally {
    timer.cancel();
    callerSignal?.removeEventListener('abort', onCancel);
  }
}

function cancelled(what: string): ServiceError {
  return new ServiceError('CANCELLED', 'CANCELLED', `the caller gave up on ${what}`);
}
