/** How long datagrams are kept, at the highest rate: longer than a dead link takes to be noticed and resent. */
const RING_MS = 500;
/** What one pass brings at most, 256 datagrams of 1984 bytes: what is next to be overwritten may be so before it has been sent. */
export const PASS_BYTES = 1 << 19;
/** Of a ring's memory for each place: streams of smaller packets come to the end of the places before that of the memory. */
const BYTES_PER_PLACE = 512;
const MOST_PLACES = 1 << 16;

/**
 * The last datagrams that went out, by sequence number, so that they can go out again by another link. They lie one behind the other
 * in the caller's memory; what is older than its size is gone.
 */
export class PacketRing {
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  readonly #sizeMask: number;
  readonly #mask: number;
  readonly #lengths: Uint16Array;
  /** Where each began, in bytes since the first, as a uint32: whoever is asked for is younger than 4 GiB. */
  readonly #starts: Uint32Array;
  /** Age, in bytes, from which a datagram is as good as gone. */
  readonly #mostBytes: number;
  #head = 0;

  /** @param offset of `size` bytes @param size a power of 2, as is `places` @param passBytes kept between calls of `lengthOf` and the sending */
  constructor(bytes: Uint8Array, offset: number, size: number, places: number, passBytes: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#sizeMask = size - 1;
    this.#mask = places - 1;
    this.#mostBytes = size - passBytes;
    this.#lengths = new Uint16Array(places);
    this.#starts = new Uint32Array(places);
  }

  /** Memory for RING_MS of this rate: a power of 2, so that the rings of uplinks that have ended fit others. */
  static bytesFor(maxBitrateBps: number): number {
    return 2 ** Math.ceil(Math.log2(((maxBitrateBps / 8) * RING_MS) / 1000 + PASS_BYTES));
  }

  static placesFor(size: number): number {
    return Math.min(size / BYTES_PER_PLACE, MOST_PLACES);
  }

  keep(sequence: number, offset: number, length: number): void {
    const place = sequence & this.#mask;
    // The bytes of one datagram lie together.
    const left = this.#sizeMask + 1 - (this.#head & this.#sizeMask);
    if (left < length) this.#head = (this.#head + left) >>> 0;
    this.#starts[place] = this.#head;
    this.#lengths[place] = length;
    this.#bytes.copyWithin(this.offsetOf(sequence), offset, offset + length);
    this.#head = (this.#head + length) >>> 0;
  }

  offsetOf(sequence: number): number {
    return this.#offset + (this.#starts[sequence & this.#mask] & this.#sizeMask);
  }

  /** 0 for one that is gone, or may be before the end of the pass. */
  lengthOf(sequence: number): number {
    const place = sequence & this.#mask;
    return (this.#head - this.#starts[place]) >>> 0 <= this.#mostBytes ? this.#lengths[place] : 0;
  }
}
