/** One packet of each stream in this time (RFC 3551: 20 ms of audio a packet). */
export const FRAME_US = 20_000;

/**
 * When each packet is due: stream i of n is i/n of a frame behind stream 0, so that sends are spread evenly and an engine
 * never sees all of its channels at once. The order is fixed: packet k belongs to stream k mod n.
 */
export class SendSchedule {
  readonly streams: number;
  readonly #startUs: number;
  readonly #endUs: number;
  /** Packets given out so far. */
  #next = 0;

  /** Packets are due from `startUs` to before `endUs`. @throws RangeError when there is no stream. */
  constructor(streams: number, startUs: number, endUs: number) {
    if (!Number.isInteger(streams) || streams < 1) throw new RangeError(`${streams} streams: must be 1 or more`);
    this.streams = streams;
    this.#startUs = startUs;
    this.#endUs = endUs;
  }

  /** When the next packet is due; Infinity when none follows. */
  get nextDueUs(): number {
    // A product, not a sum of steps: no error builds up.
    const dueUs = this.#startUs + (this.#next * FRAME_US) / this.streams;
    return dueUs < this.#endUs ? dueUs : Infinity;
  }

  /** The stream of the next packet. */
  get nextStream(): number {
    return this.#next % this.streams;
  }

  advance(): void {
    this.#next += 1;
  }
}
