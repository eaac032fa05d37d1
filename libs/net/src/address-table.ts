import type { AddressWords } from './socket-address.ts';

/** w0, w1, w2, w3, port, value. */
const ENTRY_WORDS = 6;
const PORT = 4;
const VALUE = 5;
/** The port of a free place: no datagram comes from port 0. */
const FREE = 0;
const MIN_PLACES = 16;

/**
 * Finds a number (an index of the caller's) by address and port, without allocation: who sent this datagram? Open addressing with
 * linear probing, half full at the most. The seed is to be random, so that nobody can choose addresses that fall together.
 */
export class AddressTable {
  readonly #seed: number;
  #mask = MIN_PLACES - 1;
  #entries = new Int32Array(MIN_PLACES * ENTRY_WORDS);
  #size = 0;

  /** @param seed any 32-bit number */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** The number that was set for the address; -1 when there is none. */
  get(address: AddressWords): number {
    const at = this.#find(address);
    return this.#entries[at + PORT] === FREE ? -1 : this.#entries[at + VALUE];
  }

  /** @throws RangeError for port 0, which is no sender's */
  set(address: AddressWords, value: number): void {
    if (address.port === FREE) throw new RangeError('port 0 is no address');
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    const at = this.#find(address);
    if (this.#entries[at + PORT] === FREE) this.#size += 1;
    this.#write(at, address, value);
  }

  /** Returns whether it was there. */
  delete(address: AddressWords): boolean {
    let hole = this.#find(address);
    const entries = this.#entries;
    if (entries[hole + PORT] === FREE) return false;
    this.#size -= 1;
    // What follows moves up, unless its own place lies behind the hole: no search may meet a gap before its goal.
    for (let at = this.#after(hole); entries[at + PORT] !== FREE; at = this.#after(at)) {
      const home = this.#home(entries[at], entries[at + 1], entries[at + 2], entries[at + 3], entries[at + PORT]);
      if (this.#distance(home, at) < this.#distance(hole, at)) continue;
      entries.copyWithin(hole, at, at + ENTRY_WORDS);
      hole = at;
    }
    entries[hole + PORT] = FREE;
    return true;
  }

  /** Where the address stands, or the free place where it would. */
  #find({ w0, w1, w2, w3, port }: AddressWords): number {
    const entries = this.#entries;
    let at = this.#home(w0, w1, w2, w3, port);
    while (
      entries[at + PORT] !== FREE &&
      !(
        entries[at + PORT] === port &&
        entries[at + 3] === w3 &&
        entries[at + 2] === w2 &&
        entries[at + 1] === w1 &&
        entries[at] === w0
      )
    ) {
      at = this.#after(at);
    }
    return at;
  }

  #write(at: number, { w0, w1, w2, w3, port }: AddressWords, value: number): void {
    const entries = this.#entries;
    entries[at] = w0;
    entries[at + 1] = w1;
    entries[at + 2] = w2;
    entries[at + 3] = w3;
    entries[at + PORT] = port;
    entries[at + VALUE] = value;
  }

  /** The place that an address would have in an empty table. */
  #home(w0: number, w1: number, w2: number, w3: number, port: number): number {
    let hash = mix(this.#seed ^ port, w0);
    hash = mix(hash, w1);
    hash = mix(hash, w2);
    hash = mix(hash, w3);
    return ((hash ^ (hash >>> 15)) & this.#mask) * ENTRY_WORDS;
  }

  #after(at: number): number {
    const next = at + ENTRY_WORDS;
    return next === this.#entries.length ? 0 : next;
  }

  /** Entries from one place on to another, around the end. */
  #distance(from: number, to: number): number {
    return from <= to ? to - from : to - from + this.#entries.length;
  }

  #grow(): void {
    const old = this.#entries;
    const places = (this.#mask + 1) * 2;
    this.#mask = places - 1;
    this.#entries = new Int32Array(places * ENTRY_WORDS);
    for (let at = 0; at < old.length; at += ENTRY_WORDS) {
      if (old[at + PORT] === FREE) continue;
      const address = { w0: old[at], w1: old[at + 1], w2: old[at + 2], w3: old[at + 3], port: old[at + PORT] };
      this.#write(this.#find(address), address, old[at + VALUE]);
    }
  }
}

/** One round of MurmurHash3's 32-bit mixing (Austin Appleby, public domain). */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
