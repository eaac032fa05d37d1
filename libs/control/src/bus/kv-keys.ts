import { ServiceError } from '../errors.ts';

const KEY = /^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*$/;

export function requireKey(key: string): void {
  if (!KEY.test(key)) throw new ServiceError('INVALID_ARGUMENT', 'INVALID_KEY', `'${key}' is not a key`);
}

export function keyExists(key: string): ServiceError {
  return new ServiceError('ALREADY_EXISTS', 'KEY_EXISTS', `key ${key} exists`);
}

export function revisionMismatch(key: string, revision: number): ServiceError {
  return new ServiceError('ABORTED', 'REVISION_MISMATCH', `key ${key} is no longer at revision ${revision}`);
}
