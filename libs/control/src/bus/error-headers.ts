import { asNumber, asObject, asString } from '../codec.ts';
import { ServiceError, isErrorCode } from '../errors.ts';
import type { ErrorDetails, FieldViolation } from '../errors.ts';
import type { BusHeaders } from './bus.ts';

const CODE = 'Mp-Error-Code';
const REASON = 'Mp-Error-Reason';
/** JSON: it escapes line ends, which a header value must not have. */
const MESSAGE = 'Mp-Error-Message';
const DETAILS = 'Mp-Error-Details';

export function errorToHeaders(error: ServiceError): BusHeaders {
  const { fieldViolations, retryAfterMs, metadata } = error;
  return {
    [CODE]: error.code,
    [REASON]: error.reason,
    [MESSAGE]: JSON.stringify(error.message),
    [DETAILS]: JSON.stringify({ fieldViolations, retryAfterMs, metadata }),
  };
}

/**
 * `undefined` when the headers carry no error. The other side may be of another version: a code that is not known here becomes
 * UNKNOWN and keeps its reason; details that are missing or malformed are left out.
 */
export function errorFromHeaders(headers: BusHeaders): ServiceError | undefined {
  const code = headers[CODE];
  if (code === undefined) return undefined;
  const message = asString(parseJson(headers[MESSAGE]), 'no message');
  const reason = headers[REASON] ?? 'UNKNOWN';
  return new ServiceError(isErrorCode(code) ? code : 'UNKNOWN', reason, message, parseDetails(headers[DETAILS]));
}

function parseDetails(json: string | undefined): ErrorDetails {
  const details = asObject(parseJson(json));
  const { fieldViolations, retryAfterMs, metadata } = details;
  return {
    ...(Array.isArray(fieldViolations) && { fieldViolations: fieldViolations.map(parseViolation) }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs: asNumber(retryAfterMs) }),
    ...(typeof metadata === 'object' && metadata !== null && { metadata: parseMetadata(metadata) }),
  };
}

function parseViolation(value: unknown): FieldViolation {
  const violation = asObject(value);
  return { field: asString(violation['field']), description: asString(violation['description']) };
}

function parseMetadata(value: object): Record<string, string> {
  return Object.fromEntries(Object.entries(value).filter((entry) => typeof entry[1] === 'string'));
}

function parseJson(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
