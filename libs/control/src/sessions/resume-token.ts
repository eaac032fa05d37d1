import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/**
 * `<epoch>.<sequence>`: the last event seen. The epoch names the life of the stream, as sequences begin anew when it is made
 * anew.
 */
export interface ResumeToken {
  readonly epoch: string;
  readonly sequence: number;
}

const PATTERN = /^([A-Za-z0-9_-]{8})\.(\d{1,15})$/;

export function makeToken(streamEpoch: string, sequence: number): string {
  return `${shortEpoch(streamEpoch)}.${sequence}`;
}

/** INVALID_ARGUMENT if malformed, OUT_OF_RANGE if of another life of the stream. Returns the sequence. */
export function sequenceOf(token: string, streamEpoch: string): number {
  const match = PATTERN.exec(token);
  if (match === null) throw ServiceError.invalidField('resume_token', 'must be one that a watch has returned');
  if (match[1] !== shortEpoch(streamEpoch)) throw tokenTooOld();
  return Number(match[2]);
}

export function tokenTooOld(): ServiceError {
  return new ServiceError(
    'OUT_OF_RANGE',
    'RESUME_TOKEN_TOO_OLD',
    'events since this token are gone: watch without one',
  );
}

function shortEpoch(streamEpoch: string): string {
  return createHash('sha256').update(streamEpoch).digest('base64url').slice(0, 8);
}
