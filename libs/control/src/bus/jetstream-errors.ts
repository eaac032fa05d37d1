import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { ServiceError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

type Refusal = readonly [ErrorCode, reason: string];

const TOO_LARGE: Refusal = ['INVALID_ARGUMENT', 'MESSAGE_TOO_LARGE'];
const FULL: Refusal = ['RESOURCE_EXHAUSTED', 'BUS_FULL'];
const MISCONFIGURED: Refusal = ['FAILED_PRECONDITION', 'BUS_MISCONFIGURED'];
const DENIED: Refusal = ['PERMISSION_DENIED', 'BUS_PERMISSION'];

/**
 * JetStream API errors (`err_code`, nats-server's errors.json) that the same call gets again until somebody changes the server. All
 * others pass: no leader yet, JetStream starting or stopping, a stream that is lost and will be made again.
 */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [10054, TOO_LARGE], // message size exceeds maximum allowed
  [10097, TOO_LARGE], // header size exceeds maximum allowed of 64k
  [10002, FULL], // resource limits exceeded for account
  [10026, FULL], // maximum consumers limit reached
  [10027, FULL], // maximum number of streams reached
  [10028, FULL], // insufficient memory resources available
  [10047, FULL], // insufficient storage resources available
  [10003, MISCONFIGURED], // bad request
  [10025, MISCONFIGURED], // invalid JSON
  [10052, MISCONFIGURED], // stream configuration not valid
  [10058, MISCONFIGURED], // stream name already in use with a different configuration
  [10061, MISCONFIGURED], // replicas configuration can not be updated
  [10065, MISCONFIGURED], // subjects overlap with an existing stream
  [10074, MISCONFIGURED], // replicas > 1 not supported in non-clustered mode
  [10109, MISCONFIGURED], // invalid operation on sealed stream
  [10113, MISCONFIGURED], // account requires a stream config to have max bytes set
  [10120, MISCONFIGURED], // no JetStream default or applicable tiered limit present
  [10122, MISCONFIGURED], // stream max bytes exceeds account limit
]);

/** "Storing a message failed", for any reason: a disk that fails may recover, a limit of the stream stays. */
const STORE_FAILED = 10077;
const LIMIT_REACHED = /^maximum (bytes|messages|messages per subject) exceeded$/;
const RETRY_AFTER_MS = 1_000;

/**
 * What a failed call to NATS means: UNAVAILABLE if the same call may succeed by itself later, another code if the server refuses it.
 * What is neither is a bug, and stays what it was.
 */
export function fromNatsError(thrown: unknown): unknown {
  const refusal = refusalOf(thrown);
  if (refusal !== undefined && thrown instanceof Error) {
    const [code, reason] = refusal;
    const details = { cause: thrown, ...(refusal === FULL && { retryAfterMs: RETRY_AFTER_MS }) };
    return new ServiceError(code, reason, `the message bus refused it: ${thrown.message}`, details);
  }
  if (!isTemporary(thrown)) return thrown;
  return ServiceError.unavailable('BUS_FAILED', `the message bus did not answer: ${thrown.message}`, { cause: thrown });
}

/** Also when JetStream as a whole is not there: nobody answers then, just as for a publish that no stream takes. */
export function isStreamMissing(thrown: unknown): boolean {
  if (thrown instanceof JetStreamApiError) return thrown.code === JetStreamApiCodes.StreamNotFound;
  return isNotEnabled(thrown) || thrown instanceof errors.NoRespondersError;
}

/** nats.js does not export the class. */
function isNotEnabled(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'JetStreamNotEnabled';
}

function refusalOf(thrown: unknown): Refusal | undefined {
  if (thrown instanceof errors.PermissionViolationError) return DENIED;
  if (thrown instanceof errors.RequestError && thrown.cause instanceof errors.PermissionViolationError) return DENIED;
  if (!(thrown instanceof JetStreamApiError)) return undefined;
  if (thrown.code === STORE_FAILED && LIMIT_REACHED.test(thrown.message)) return FULL;
  return REFUSALS.get(thrown.code);
}

function isTemporary(thrown: unknown): thrown is Error {
  return (
    thrown instanceof errors.TimeoutError ||
    thrown instanceof errors.RequestError ||
    thrown instanceof errors.NoRespondersError ||
    thrown instanceof errors.ClosedConnectionError ||
    thrown instanceof errors.DrainingConnectionError ||
    isNotEnabled(thrown) ||
    thrown instanceof JetStreamError ||
    thrown instanceof JetStreamApiError
  );
}
