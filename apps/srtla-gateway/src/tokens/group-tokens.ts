import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { GROUP_ID_BYTES, SENDER_HALF_BYTES } from '@mediaplane/srtla';

const ALGORITHM = 'aes-256-gcm';
export const TOKEN_KEY_BYTES = 32;
const VERSION = 1;
/** version, key id, nonce */
const HEADER_BYTES = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED_BYTES = GROUP_ID_BYTES - SENDER_HALF_BYTES - HEADER_BYTES - NONCE_BYTES - TAG_BYTES;
const INSTANCE_OFFSET = 8;

/** A key that seals tokens. Keys have numbers, so that a new one can take over while tokens of the last are still about. */
export interface TokenKey {
  /** 0 to 255. */
  readonly id: number;
  /** TOKEN_KEY_BYTES. */
  readonly secret: Uint8Array;
}

export interface GroupTokensOptions {
  /** Seals new tokens. */
  readonly current: TokenKey;
  /** Still accepted. */
  readonly previous?: TokenKey;
  readonly instanceId: string;
  /** A token that was issued longer ago than this opens no group. */
  readonly maxAgeMs: number;
}

/** What a token says; it is proven to be ours. */
export interface GroupToken {
  readonly instanceId: string;
  readonly issuedUnixMs: number;
}

/** Clocks of instances may be this far apart. */
const MAX_AHEAD_MS = 60_000;

/**
 * The receiver's half of group ids, made so that the receiver need not remember what it gave out, as SYN cookies are: who issued it
 * and when, sealed together with the sender's half (AES-256-GCM, the sender's half as associated data). Whoever holds the key can tell
 * a group of the fleet from an invention. The id itself travels in clear: it is as good as a password to whoever sees the wire.
 *
 *     version 1 | key id 1 | nonce 12 | sealed { issued at, ms 8 | instance id, zeros behind } 98 | tag 16
 */
export class GroupTokens {
  readonly #maxAgeMs: number;
  #keys: readonly TokenKey[] = [];
  readonly #plain = new Uint8Array(SEALED_BYTES);
  readonly #plainView = new DataView(this.#plain.buffer);

  /** @throws RangeError for a key of the wrong length or an instance id that does not fit */
  constructor(options: GroupTokensOptions) {
    this.setKeys(options.current, options.previous ?? null);
    const instance = new TextEncoder().encode(options.instanceId);
    if (instance.length > SEALED_BYTES - INSTANCE_OFFSET) throw new RangeError('the instance id is too long');
    this.#maxAgeMs = options.maxAgeMs;
    this.#plain.set(instance, INSTANCE_OFFSET);
  }

  /**
   * `current` seals from now on, `previous` is still accepted; what other keys have sealed is not.
   * @throws RangeError for a key of the wrong length or number, or two of one number
   */
  setKeys(current: TokenKey, previous: TokenKey | null): void {
    const keys = previous === null ? [current] : [current, previous];
    for (const { id, secret } of keys) {
      if (secret.length !== TOKEN_KEY_BYTES) throw new RangeError(`a token key has ${TOKEN_KEY_BYTES} bytes`);
      if (!Number.isInteger(id) || id < 0 || id > 255) throw new RangeError(`key id ${id}: 0 to 255`);
    }
    if (current.id === previous?.id) throw new RangeError(`both keys have the number ${current.id}`);
    this.#keys = keys;
  }

  /** Writes the receiver's half of an id behind the sender's. */
  issue(id: Uint8Array, unixMs: number): void {
    const [current] = this.#keys;
    const token = id.subarray(SENDER_HALF_BYTES, GROUP_ID_BYTES);
    token[0] = VERSION;
    token[1] = current.id;
    const nonce = randomFillSync(token.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES));
    this.#plainView.setFloat64(0, unixMs);
    const cipher = createCipheriv(ALGORITHM, current.secret, nonce);
    cipher.setAAD(id.subarray(0, SENDER_HALF_BYTES));
    token.set(cipher.update(this.#plain), HEADER_BYTES + NONCE_BYTES);
    cipher.final();
    token.set(cipher.getAuthTag(), token.length - TAG_BYTES);
  }

  /** What the id's token says; null when it is not ours, altered, or too old. */
  open(id: Uint8Array, unixMs: number): GroupToken | null {
    const token = id.subarray(SENDER_HALF_BYTES, GROUP_ID_BYTES);
    if (token[0] !== VERSION) return null;
    const key = this.#keys.find(({ id: number }) => number === token[1]);
    if (key === undefined) return null;
    const sealedFrom = HEADER_BYTES + NONCE_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key.secret, token.subarray(HEADER_BYTES, sealedFrom));
    decipher.setAAD(id.subarray(0, SENDER_HALF_BYTES));
    decipher.setAuthTag(token.subarray(token.length - TAG_BYTES));
    const plain = decipher.update(token.subarray(sealedFrom, sealedFrom + SEALED_BYTES));
    try {
      decipher.final();
    } catch {
      return null;
    }
    const issuedUnixMs = plain.readDoubleBE(0);
    const ageMs = unixMs - issuedUnixMs;
    if (ageMs > this.#maxAgeMs || ageMs < -MAX_AHEAD_MS) return null;
    const instance = plain.subarray(INSTANCE_OFFSET);
    const end = instance.indexOf(0);
    return { instanceId: instance.toString('utf8', 0, end < 0 ? instance.length : end), issuedUnixMs };
  }
}
