import { ServiceError } from '@mediaplane/control';

const RETRY_AFTER_MS = 1000;

/**
 * A stream method of which `limit` run at once. Calls end by their deadlines; streams last as long as their callers like, so
 * that the gate for calls, which they do not pass, could not bound them. `what` names them in the refusal.
 */
export function bounded<Args extends unknown[], Response>(
  what: string,
  limit: number,
  work: (...args: Args) => AsyncIterable<Response>,
) {
  let open = 0;
  return async function* (...args: Args): AsyncGenerator<Response> {
    if (open >= limit) {
      const message = `this instance has ${open} of ${limit} ${what} open`;
      throw ServiceError.exhausted('TOO_MANY_STREAMS', message, RETRY_AFTER_MS);
    }
    open += 1;
    try {
      yield* work(...args);
    } finally {
      open -= 1;
    }
  };
}
