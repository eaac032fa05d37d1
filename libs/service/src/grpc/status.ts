import { Metadata, status as grpcStatus } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import { ServiceError } from '@mediaplane/control';
import type { ErrorCode } from '@mediaplane/control';
import { rpc } from '@mediaplane/proto';

/** Metadata key of a serialised google.rpc.Status (AIP-193). */
const DETAILS = 'grpc-status-details-bin';
const DOMAIN = 'mediaplane';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** A ServiceError as gRPC sends it: ErrorInfo always; BadRequest and RetryInfo where they apply. */
export function toStatus(error: ServiceError): StatusObject {
  const code = grpcStatus[error.code];
  const details = [
    pack('ErrorInfo', rpc.ErrorInfo.encode({ reason: error.reason, domain: DOMAIN, metadata: { ...error.metadata } })),
  ];
  if (error.fieldViolations !== undefined && error.fieldViolations.length > 0) {
    const fieldViolations = error.fieldViolations.map((violation) => ({ ...violation }));
    details.push(pack('BadRequest', rpc.BadRequest.encode({ fieldViolations })));
  }
  if (error.retryAfterMs !== undefined) {
    const seconds = Math.floor(error.retryAfterMs / 1000);
    const nanos = Math.round((error.retryAfterMs - seconds * 1000) * 1e6);
    details.push(pack('RetryInfo', rpc.RetryInfo.encode({ retryDelay: { seconds, nanos } })));
  }
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(rpc.Status.encode({ code, message: error.message, details }).finish()));
  return { code, details: error.message, metadata };
}

function pack(type: string, message: { finish(): Uint8Array }): rpc.Any {
  return { typeUrl: TYPE_PREFIX + type, value: message.finish() };
}

/** The other way round, for our own clients: what a grpc-js call rejected with, as a ServiceError with its details. */
export function fromStatus(status: StatusObject): ServiceError {
  const code = codeName(status.code);
  const [bytes] = status.metadata.get(DETAILS);
  let reason: string = code;
  let metadata: Record<string, string> | undefined;
  let fieldViolations: rpc.BadRequest_FieldViolation[] | undefined;
  let retryAfterMs: number | undefined;
  for (const { typeUrl, value } of bytes instanceof Uint8Array ? rpc.Status.decode(bytes).details : []) {
    if (typeUrl === `${TYPE_PREFIX}ErrorInfo`) ({ reason, metadata } = rpc.ErrorInfo.decode(value));
    else if (typeUrl === `${TYPE_PREFIX}BadRequest`) ({ fieldViolations } = rpc.BadRequest.decode(value));
    else if (typeUrl === `${TYPE_PREFIX}RetryInfo`) {
      const delay = rpc.RetryInfo.decode(value).retryDelay;
      if (delay !== undefined) retryAfterMs = delay.seconds * 1000 + delay.nanos / 1e6;
    }
  }
  return new ServiceError(code, reason, status.details, { fieldViolations, retryAfterMs, metadata });
}

function codeName(code: number): ErrorCode {
  const name = grpcStatus[code];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as ErrorCode);
}
