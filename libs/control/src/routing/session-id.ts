import { randomBytes } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/**
 * A session id is `<kind>_<instance>_<random>`: it names its owner, so that routing needs no lookup. The instance is random per
 * process start and one NATS token. Kinds are two or more lower-case letters, `ch` for a channel.
 */
export interface SessionId {
  readonly kind: string;
  readonly instanceId: string;
  readonly random: string;
}

/** RFC 4648 base32 in lower case: 5 bits a letter, a NATS token, and no `_`. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** 60 bits: a chance of one in a million for a clash among 1.5 million instances. */
const INSTANCE_LETTERS = 12;
/** 80 bits: ids cannot be guessed. */
const SESSION_LETTERS = 16;
const PATTERN = /^([a-z]{2,16})_([a-z0-9]{1,32})_([a-z0-9]{1,64})$/;
const INSTANCE_PATTERN = /^[a-z0-9]{1,32}$/;

export function makeInstanceId(): string {
  return randomLetters(INSTANCE_LETTERS);
}

export function makeSessionId(kind: string, instanceId: string): string {
  return `${kind}_${instanceId}_${randomLetters(SESSION_LETTERS)}`;
}

export function isInstanceId(text: string): boolean {
  return INSTANCE_PATTERN.test(text);
}

/** `undefined` when the text has not the form of a session id. */
export function parseSessionId(text: string): SessionId | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  return { kind: match[1], instanceId: match[2], random: match[3] };
}

/** For request fields: throws INVALID_ARGUMENT naming `field` unless the text is an id of this kind. */
export function requireSessionId(field: string, text: string, kind: string): SessionId {
  const id = parseSessionId(text);
  if (id === undefined || id.kind !== kind) {
    throw ServiceError.invalidField(field, `must have the form ${kind}_<instance>_<random>`);
  }
  return id;
}

/** One call to the system's generator costs more than everything else in making an id. */
const POOL_BYTES = 4096;
let pool = new Uint8Array(0);
let used = 0;

function randomLetters(count: number): string {
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  let letters = '';
  for (const end = used + count; used < end; used++) letters += ALPHABET[pool[used] & 31];
  return letters;
}
