/** Answers that are remembered: receivers send their copies in one go, so few others come between. */
const PLACES = 32;
/** Longest that is remembered whole; a NAK has 16 bytes and 4 or 8 for each loss. */
const SLOT_BYTES = 1500;
/** One that is as old is forgotten: the same bytes again would be a new answer. */
const COPY_US = 5e6;
const HEADER_BYTES = 16;

/**
 * Receivers send the server's acknowledgements and loss reports by every link. Recognises the copies, by every byte: two different
 * answers differ at least in their timestamps.
 */
export class AnswerFilter {
  readonly #bytes = new Uint8Array(PLACES * SLOT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #lengths = new Uint16Array(PLACES);
  readonly #seenUs = new Float64Array(PLACES).fill(-Infinity);
  #next = 0;

  /** Returns whether the same has come before; if not, remembers it. One with less than a header, or longer than can be, never has. */
  isCopy(bytes: Uint8Array, view: DataView, offset: number, length: number, nowUs: number): boolean {
    if (length < HEADER_BYTES || length > SLOT_BYTES) return false;
    // The newest first: a copy comes soon.
    for (let back = 1; back <= PLACES; back += 1) {
      const place = (this.#next - back) & (PLACES - 1);
      if (this.#lengths[place] === length && nowUs - this.#seenUs[place] < COPY_US) {
        if (this.#isSame(place * SLOT_BYTES, view, offset, length)) return true;
      }
    }
    const at = this.#next * SLOT_BYTES;
    for (let i = 0; i < length; i += 1) this.#bytes[at + i] = bytes[offset + i];
    this.#lengths[this.#next] = length;
    this.#seenUs[this.#next] = nowUs;
    this.#next = (this.#next + 1) & (PLACES - 1);
    return false;
  }

  #isSame(at: number, view: DataView, offset: number, length: number): boolean {
    // Timestamps first: nothing else differs so surely.
    if (this.#view.getInt32(at + 8) !== view.getInt32(offset + 8)) return false;
    for (let i = 0; i < length; i += 1) if (this.#bytes[at + i] !== view.getUint8(offset + i)) return false;
    return true;
  }
}
