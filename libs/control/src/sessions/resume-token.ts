import { hash } from 'node:crypto';
import { ServiceError } from '../errors.ts';

const PATTERN = /^([A-Za-z0-9_-]{8})\.(\d{1,15})$/;

/**
 * Tokens of one life of a stream: `<epoch>.<sequence>`, the last event seen. The epoch is a hash of the stream's own, made once as
 * there is a token for every event; sequences begin anew when the stream is made anew.
 */
export class ResumeTokens {
  readonly #epoch: string;

  constructor(streamEpoch: string) {
    this.#epoch = hash('sha256', streamEpoch, 'base64url').slice(0, 8);
  }

  make(sequence: number): string {
    return `${this.#epoch}.${sequence}`;
  }

  /** INVALID_ARGUMENT if malformed, OUT_OF_RANGE if of another life of the stream. */
  sequenceOf(token: string): number {
    const match = PATTERN.exec(token);
    if (match === null) throw ServiceError.invalidField('resume_token', 'must be one that a watch has returned');
    if (match[1] !== this.#epoch) throw tokenTooOld();
    return Number(match[2]);
  }
}

export function tokenTooOld(): ServiceError {
  return new ServiceError(
    'OUT_OF_RANGE',
    'RESUME_TOKEN_TOO_OLD',
    'events since this token are gone: watch without one',
  );
}
