import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { RELAY_HELLO_BYTES, RELAY_HELLO_TYPE } from '../domain/relay/relay-parts.ts';
import type { RelayHello, RelayPath, RelaySeals } from '../domain/relay/relay-parts.ts';
import type { TokenKey } from './group-tokens.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
/** type 2, version, key id */
const HEADER_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ADDRESS_BYTES = 18;
const SEALED_BYTES = RELAY_HELLO_BYTES - HEADER_BYTES - NONCE_BYTES - TAG_BYTES;
const ORIGIN_OFFSET = 16;
const INSTANCE_OFFSET = ORIGIN_OFFSET + ADDRESS_BYTES;
/** Clocks of instances may be this far apart, and a HELLO this long on its way. */
const MAX_APART_MS = 30_000;

/** Keys of the fleet: `current` seals, both open. */
export interface RelayKeys {
  readonly current: TokenKey;
  readonly previous: TokenKey | undefined;
}

/**
 * HELLOs of relaying instances, sealed with AES-256-GCM; the type and both sockets' addresses are associated data, so that a HELLO which
 * is recorded on the private network opens nothing for another address.
 *
 *     type 2 | version 1 | key id 1 | nonce 12 | sealed { counter 8 | Unix ms 8 | origin 16 + 2 | instance id, zeros behind, 64 } | tag 16
 */
export class SealedHellos implements RelaySeals {
  readonly #keys: RelayKeys;
  readonly #unixMs: () => number;

  /** @throws RangeError for two keys of one number */
  constructor(keys: RelayKeys, unixMs: () => number) {
    if (keys.current.id === keys.previous?.id) throw new RangeError(`both keys have the number ${keys.current.id}`);
    this.#keys = keys;
    this.#unixMs = unixMs;
  }

  /** @throws RangeError for an instance id that does not fit */
  seal(out: Uint8Array, { counter, origin, instanceId }: RelayHello, path: RelayPath): void {
    const { current } = this.#keys;
    const plain = new Uint8Array(SEALED_BYTES);
    const view = new DataView(plain.buffer);
    view.setFloat64(0, counter);
    view.setFloat64(8, this.#unixMs());
    writeAddress(view, ORIGIN_OFFSET, origin);
    const instance = new TextEncoder().encode(instanceId);
    if (instance.length > SEALED_BYTES - INSTANCE_OFFSET) throw new RangeError('the instance id is too long');
    plain.set(instance, INSTANCE_OFFSET);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, current.secret, nonce);
    cipher.setAAD(associated(path));
    const sealed = cipher.update(plain);
    cipher.final();
    new DataView(out.buffer, out.byteOffset).setUint16(0, RELAY_HELLO_TYPE);
    out[2] = VERSION;
    out[3] = current.id;
    out.set(nonce, HEADER_BYTES);
    out.set(sealed, HEADER_BYTES + NONCE_BYTES);
    out.set(cipher.getAuthTag(), RELAY_HELLO_BYTES - TAG_BYTES);
  }

  open(datagram: Uint8Array, path: RelayPath): RelayHello | null {
    if (datagram.length !== RELAY_HELLO_BYTES || datagram[2] !== VERSION) return null;
    const { current, previous } = this.#keys;
    const key = [current, previous].find((known) => known?.id === datagram[3]);
    if (key === undefined) return null;
    const sealedFrom = HEADER_BYTES + NONCE_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key.secret, datagram.subarray(HEADER_BYTES, sealedFrom));
    decipher.setAAD(associated(path));
    decipher.setAuthTag(datagram.subarray(RELAY_HELLO_BYTES - TAG_BYTES));
    const plain = decipher.update(datagram.subarray(sealedFrom, sealedFrom + SEALED_BYTES));
    try {
      decipher.final();
    } catch {
      return null;
    }
    const view = new DataView(plain.buffer, plain.byteOffset);
    if (Math.abs(this.#unixMs() - view.getFloat64(8)) > MAX_APART_MS) return null;
    const instance = plain.subarray(INSTANCE_OFFSET);
    const end = instance.indexOf(0);
    return {
      counter: view.getFloat64(0),
      origin: readAddress(view, ORIGIN_OFFSET),
      instanceId: instance.toString('utf8', 0, end < 0 ? instance.length : end),
    };
  }
}

function associated({ from, to }: RelayPath): Uint8Array {
  const data = new Uint8Array(2 + 2 * ADDRESS_BYTES);
  const view = new DataView(data.buffer);
  view.setUint16(0, RELAY_HELLO_TYPE);
  writeAddress(view, 2, from);
  writeAddress(view, 2 + ADDRESS_BYTES, to);
  return data;
}

function writeAddress(view: DataView, offset: number, { w0, w1, w2, w3, port }: AddressWords): void {
  for (const [i, word] of [w0, w1, w2, w3].entries()) view.setInt32(offset + 4 * i, word);
  view.setUint16(offset + 16, port);
}

function readAddress(view: DataView, offset: number): SocketAddress {
  const word = (i: number): number => view.getInt32(offset + 4 * i);
  return new SocketAddress().set(word(0), word(1), word(2), word(3), view.getUint16(offset + 16));
}
