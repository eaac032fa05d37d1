import { hash } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/** Tells two requests apart; 96 bits. */
export function fingerprint(request: Uint8Array): string {
  return hash('sha256', request, 'base64url').slice(0, 16);
}

export function requestIdReused(): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'REQUEST_ID_REUSED', 'request_id was used for a different request', {
    fieldViolations: [{ field: 'request_id', description: 'must be new for each different request' }],
  });
}
