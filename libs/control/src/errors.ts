/** gRPC status names (google.rpc.Code) without OK: the one vocabulary of errors in the API and on the bus. */
export const ERROR_CODES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A google.rpc.BadRequest field violation: `field` is the path in the request message, in snake_case. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface ErrorDetails {
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  /** google.rpc.RetryInfo: when a retry may succeed. */
  readonly retryAfterMs?: number | undefined;
  /** google.rpc.ErrorInfo metadata. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/** An error that may cross the API: a gRPC code, a machine-readable reason (UPPER_SNAKE) and a sentence for people. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly fieldViolations: readonly FieldViolation[] | undefined;
  readonly retryAfterMs: number | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;

  constructor(code: ErrorCode, reason: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.fieldViolations = details.fieldViolations;
    this.retryAfterMs = details.retryAfterMs;
    this.metadata = details.metadata;
  }

  /** INVALID_ARGUMENT that names one field; `description` states what is allowed. */
  static invalidField(field: string, description: string): ServiceError {
    return new ServiceError('INVALID_ARGUMENT', 'INVALID_FIELD', `${field}: ${description}`, {
      fieldViolations: [{ field, description }],
    });
  }

  static unavailable(reason: string, message: string, details: ErrorDetails = {}): ServiceError {
    return new ServiceError('UNAVAILABLE', reason, message, details);
  }

  static exhausted(reason: string, message: string, retryAfterMs: number): ServiceError {
    return new ServiceError('RESOURCE_EXHAUSTED', reason, message, { retryAfterMs });
  }

  /** Whatever was thrown, as an error of the API: what is not a ServiceError is a bug of ours and becomes INTERNAL. */
  static from(thrown: unknown): ServiceError {
    if (thrown instanceof ServiceError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new ServiceError('INTERNAL', 'INTERNAL', message, { cause: thrown });
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return ERROR_CODES.some((code) => code === text);
}

export function hasCode(thrown: unknown, code: ErrorCode): thrown is ServiceError {
  return thrown instanceof ServiceError && thrown.code === code;
}

export function hasReason(thrown: unknown, reason: string): thrown is ServiceError {
  return thrown instanceof ServiceError && thrown.reason === reason;
}
