/** Longest SRT datagram that is kept; a longer one is not sent again. */
const SLOT_BYTES = 1536;

/** The last datagrams that went out, by sequence number, so that they can go out again by another link. In the caller's memory. */
export class PacketRing {
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  readonly #mask: number;
  readonly #lengths: Uint16Array;

  /** @param offset of `PacketRing.bytes(places)` bytes @param places a power of 2 */
  constructor(bytes: Uint8Array, offset: number, places: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#mask = places - 1;
    this.#lengths = new Uint16Array(places);
  }

  static bytes(places: number): number {
    return places * SLOT_BYTES;
  }

  keep(sequence: number, offset: number, length: number): void {
    const place = sequence & this.#mask;
    this.#lengths[place] = length <= SLOT_BYTES ? length : 0;
    if (length <= SLOT_BYTES) this.#bytes.copyWithin(this.offsetOf(sequence), offset, offset + length);
  }

  offsetOf(sequence: number): number {
    return this.#offset + (sequence & this.#mask) * SLOT_BYTES;
  }

  /** 0 for one that was too long to keep. */
  lengthOf(sequence: number): number {
    return this.#lengths[sequence & this.#mask];
  }
}
