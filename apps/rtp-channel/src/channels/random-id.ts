import { randomFillSync } from 'node:crypto';

/** RFC 4648 base32 in lower case. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const POOL_BYTES = 4096;
const ID_LETTERS = 16;

/** Random bytes are fetched by the thousand: a system call for each would show at a thousand opens a second. */
const pool = new Uint8Array(POOL_BYTES);
const view = new DataView(pool.buffer);
let used = POOL_BYTES;

function take(bytes: number): number {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += bytes;
  return at;
}

/** 80 random bits behind a prefix: `pb_k3…`. */
export function randomId(prefix: string): string {
  const at = take(ID_LETTERS);
  let id = prefix;
  for (let i = at; i < at + ID_LETTERS; i++) id += ALPHABET[pool[i] & 31];
  return id;
}

export function randomUint32(): number {
  return view.getUint32(take(4));
}

export function randomUint16(): number {
  return view.getUint16(take(2));
}
