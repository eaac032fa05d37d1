import { SEQUENCE_MASK, addSequence, isSequenceRestart, nextSequence, sequenceDistance } from '@mediaplane/srtla';

/** No link has it: acknowledged, reported lost, or never sent. */
export const NO_LINK = -1;
export const NO_SEQUENCE = -1;

/**
 * Which link carried which packet, until that is proven or refuted: what in-flight counts, NAKs and acknowledgements are attributed
 * by. One place for each of the last `capacity` sequence numbers; a packet that is sent again belongs to the link that had it last.
 * Nothing allocates. Sequence numbers are those of SRT data packets, 31 bits; an encoder that begins anew begins a new log.
 */
export class SendLog {
  readonly #mask: number;
  readonly #sequences: Int32Array;
  readonly #links: Int8Array;
  /** Coarse enough for round trips and time-outs: milliseconds of the monotonic clock, wrapping. */
  readonly #sentMs: Int32Array;
  readonly #inFlight: Int32Array;
  /** Who carried it last, also when that is settled. */
  readonly #carriers: Int8Array;
  /** More than one link has carried it: that it arrived proves nothing of the last. */
  readonly #shared: Uint8Array;
  /** By link, set where a packet that it alone carried has arrived. */
  readonly #proven: Uint8Array;
  /** The highest sequence number so far; NO_SEQUENCE before the first packet. */
  #newest = NO_SEQUENCE;
  /** The receiver has everything below. */
  #acknowledged = NO_SEQUENCE;

  /** @param capacity places, a power of 2 @param maxLinks links are 0 to `maxLinks` - 1, at most 127 @throws RangeError */
  constructor(capacity: number, maxLinks: number) {
    if (capacity < 2 || (capacity & (capacity - 1)) !== 0) throw new RangeError(`capacity ${capacity}: a power of 2`);
    if (!(maxLinks >= 1 && maxLinks <= 127)) throw new RangeError(`maxLinks ${maxLinks}: 1 to 127`);
    this.#mask = capacity - 1;
    this.#sequences = new Int32Array(capacity).fill(NO_SEQUENCE);
    this.#links = new Int8Array(capacity).fill(NO_LINK);
    this.#sentMs = new Int32Array(capacity);
    this.#inFlight = new Int32Array(maxLinks);
    this.#carriers = new Int8Array(capacity).fill(NO_LINK);
    this.#shared = new Uint8Array(capacity);
    this.#proven = new Uint8Array(maxLinks);
  }

  /** Packets that the link carried and that nobody has acknowledged or reported lost. */
  inFlight(link: number): number {
    return this.#inFlight[link];
  }

  /** A packet goes out by `link`. Returns false for one that the log has no place for, since it is so old or acknowledged. */
  sent(sequence: number, link: number, nowUs: number): boolean {
    if (this.#newest === NO_SEQUENCE || isSequenceRestart(this.#newest, sequence)) this.#begin(sequence);
    else if (sequenceDistance(this.#newest, sequence) > 0) this.#newest = sequence;
    const place = sequence & this.#mask;
    // So old that its place is another's, or already acknowledged: whoever carries it again proves nothing by it.
    if (sequenceDistance(sequence, this.#oldest()) > 0) return false;
    // An older packet of this place is given up, or this one itself comes from another link.
    this.#release(place);
    const carrier = this.#sequences[place] === sequence ? this.#carriers[place] : NO_LINK;
    this.#shared[place] = carrier === NO_LINK ? 0 : carrier === link ? this.#shared[place] : 1;
    this.#carriers[place] = link;
    this.#sequences[place] = sequence;
    this.#links[place] = link;
    this.#sentMs[place] = (nowUs / 1000) | 0;
    this.#inFlight[link] += 1;
    return true;
  }

  /** Proven or lost: it is in flight no more. Returns the link that carried it, NO_LINK when that is not, or no more, known. */
  settle(sequence: number): number {
    const place = sequence & this.#mask;
    return this.#sequences[place] === sequence ? this.#release(place) : NO_LINK;
  }

  /** The link that carried the packet last, arrived or not; NO_LINK when the log does not go back so far. */
  carrier(sequence: number): number {
    const place = sequence & this.#mask;
    return this.#sequences[place] === sequence ? this.#carriers[place] : NO_LINK;
  }

  /** As `settle`, for a packet that has arrived. */
  arrived(sequence: number): number {
    const link = this.settle(sequence);
    if (link !== NO_LINK && this.#shared[sequence & this.#mask] === 0) this.#proven[link] = 1;
    return link;
  }

  /** Whether a packet that the link alone carried has arrived since this was last asked. */
  takeProof(link: number): boolean {
    const proven = this.#proven[link] === 1;
    this.#proven[link] = 0;
    return proven;
  }

  /** The next packet from `sequence` on that the link still has in flight; NO_SEQUENCE when there is none. */
  nextInFlight(link: number, sequence: number): number {
    if (this.#inFlight[link] === 0) return NO_SEQUENCE;
    const end = nextSequence(this.#newest);
    const oldest = this.#oldest();
    let at = sequenceDistance(oldest, sequence) > 0 ? sequence : oldest;
    for (; sequenceDistance(at, end) > 0; at = nextSequence(at)) {
      if (this.#links[at & this.#mask] === link) return at;
    }
    return NO_SEQUENCE;
  }

  /** How long ago a packet that is in flight was sent. */
  ageMs(sequence: number, nowUs: number): number {
    return (((nowUs / 1000) | 0) - this.#sentMs[sequence & this.#mask]) | 0;
  }

  /** The first packet that may be in flight; NO_SEQUENCE before any was sent. */
  get oldest(): number {
    return this.#newest === NO_SEQUENCE ? NO_SEQUENCE : this.#oldest();
  }

  /** An SRT acknowledgement: everything below `sequence` has arrived. Returns false for one that says nothing new. */
  acknowledgeBelow(sequence: number): boolean {
    if (this.#newest === NO_SEQUENCE) return false;
    // Of what was never sent nothing can have arrived: an acknowledgement from before a restart, or a forged one.
    if (sequenceDistance(sequence, nextSequence(this.#newest)) < 0) return false;
    const behind = sequenceDistance(this.#acknowledged, sequence);
    if (behind <= 0) return false;
    const places = this.#mask + 1;
    let at = behind > places ? addSequence(sequence, -places) : this.#acknowledged;
    for (; at !== sequence; at = nextSequence(at)) this.arrived(at);
    this.#acknowledged = sequence;
    return true;
  }

  /** The link has failed: what it had in flight is nobody's. */
  forgetLink(link: number): void {
    if (this.#inFlight[link] === 0) return;
    const end = nextSequence(this.#newest);
    for (let at = this.#oldest(); at !== end; at = nextSequence(at)) {
      const place = at & this.#mask;
      if (this.#links[place] === link) this.#release(place);
    }
  }

  /** Where the packets begin that may be in flight. */
  #oldest(): number {
    const places = this.#mask + 1;
    const behind = sequenceDistance(this.#acknowledged, this.#newest);
    return behind < places ? this.#acknowledged : addSequence(this.#newest, 1 - places);
  }

  #begin(sequence: number): void {
    this.#sequences.fill(NO_SEQUENCE);
    this.#links.fill(NO_LINK);
    this.#inFlight.fill(0);
    this.#carriers.fill(NO_LINK);
    this.#newest = sequence & SEQUENCE_MASK;
    this.#acknowledged = this.#newest;
  }

  #release(place: number): number {
    const link = this.#links[place];
    if (link === NO_LINK) return NO_LINK;
    this.#links[place] = NO_LINK;
    this.#inFlight[link] -= 1;
    return link;
  }
}
