import { SEQUENCE_MASK, addSequence, isSequenceRestart, nextSequence, sequenceDistance } from '@mediaplane/srtla';

/** No link has it: acknowledged, reported lost, or never sent. */
export const NO_LINK = -1;
export const NO_SEQUENCE = -1;
/** Carrier bits are 16. */
const MOST_LINKS = 16;

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
  /** When it went out first: its deadline counts from there. */
  readonly #firstMs: Int32Array;
  /** By link, and one more for what links had in flight that are gone. */
  readonly #inFlight: Int32Array;
  readonly #orphans: number;
  /** Who has carried it, also when that is settled: a bit for each link. */
  readonly #carriers: Uint16Array;
  /** It went out by one link twice. */
  readonly #repeated: Uint8Array;
  /** Who carried it last, and which of that link's packets it was. */
  readonly #lastLinks: Int8Array;
  readonly #ordinals: Int32Array;
  /** By link: the newest of its packets that is known to have arrived by it, and how many are. */
  readonly #proven: Int32Array;
  readonly #delivered: Float64Array;
  /** The highest sequence number so far; NO_SEQUENCE before the first packet. */
  #newest = NO_SEQUENCE;
  /** The receiver has everything below. */
  #acknowledged = NO_SEQUENCE;

  /** @param capacity places, a power of 2 @param maxLinks links are 0 to `maxLinks` - 1, at most 16 @throws RangeError */
  constructor(capacity: number, maxLinks: number) {
    if (capacity < 2 || (capacity & (capacity - 1)) !== 0) throw new RangeError(`capacity ${capacity}: a power of 2`);
    if (!(maxLinks >= 1 && maxLinks <= MOST_LINKS)) throw new RangeError(`maxLinks ${maxLinks}: 1 to ${MOST_LINKS}`);
    this.#mask = capacity - 1;
    this.#sequences = new Int32Array(capacity).fill(NO_SEQUENCE);
    this.#links = new Int8Array(capacity).fill(NO_LINK);
    this.#sentMs = new Int32Array(capacity);
    this.#firstMs = new Int32Array(capacity);
    this.#inFlight = new Int32Array(maxLinks + 1);
    this.#orphans = maxLinks;
    this.#carriers = new Uint16Array(capacity);
    this.#repeated = new Uint8Array(capacity);
    this.#lastLinks = new Int8Array(capacity).fill(NO_LINK);
    this.#ordinals = new Int32Array(capacity);
    this.#proven = new Int32Array(maxLinks);
    this.#delivered = new Float64Array(maxLinks);
  }

  /** Packets that the link carried and that nobody has acknowledged or reported lost. */
  inFlight(link: number): number {
    return this.#inFlight[link];
  }

  /**
   * A packet goes out by `link`, as its `ordinal`th (int32, wrapping). Returns false for one that the log has no place for, since it is
   * so old or acknowledged.
   */
  sent(sequence: number, link: number, nowUs: number, ordinal = 0): boolean {
    if (this.#newest === NO_SEQUENCE || isSequenceRestart(this.#newest, sequence)) this.#begin(sequence);
    else if (sequenceDistance(this.#newest, sequence) > 0) this.#newest = sequence;
    const place = sequence & this.#mask;
    // So old that its place is another's, or already acknowledged: whoever carries it again proves nothing by it.
    if (sequenceDistance(sequence, this.#oldest()) > 0) return false;
    // An older packet of this place is given up, or this one itself comes from another link.
    this.#release(place);
    const bit = 1 << link;
    const ms = (nowUs / 1000) | 0;
    if (this.#sequences[place] === sequence) {
      this.#repeated[place] = this.#carriers[place] & bit ? 1 : 0;
      this.#carriers[place] |= bit;
    } else {
      this.#sequences[place] = sequence;
      this.#repeated[place] = 0;
      this.#carriers[place] = bit;
      this.#firstMs[place] = ms;
    }
    this.#links[place] = link;
    this.#lastLinks[place] = link;
    this.#ordinals[place] = ordinal;
    this.#sentMs[place] = ms;
    this.#inFlight[link] += 1;
    return true;
  }

  /** A second copy of a packet that was just `sent` goes out by `link`. */
  alsoSent(sequence: number, link: number): void {
    const place = sequence & this.#mask;
    if (this.#sequences[place] === sequence) this.#carriers[place] |= 1 << link;
  }

  /** Proven or lost: it is in flight no more. Returns the link that carried it, NO_LINK when that is not, or no more, known. */
  settle(sequence: number): number {
    const place = sequence & this.#mask;
    return this.#sequences[place] === sequence ? this.#release(place) : NO_LINK;
  }

  /** The links that have carried the packet, arrived or not, a bit for each; 0 when the log does not go back so far. */
  carriers(sequence: number): number {
    const place = sequence & this.#mask;
    return this.#sequences[place] === sequence ? this.#carriers[place] : 0;
  }

  /** As `settle`, for a packet that has arrived. */
  arrived(sequence: number): number {
    const link = this.settle(sequence);
    // That a packet arrived which several have carried proves nothing of the last.
    if (link >= 0 && this.#carriers[sequence & this.#mask] === 1 << link) {
      this.#prove(sequence & this.#mask, link);
      this.#delivered[link] += 1;
    }
    return link;
  }

  /** The receiver says that the packet came by `link`. */
  arrivedBy(sequence: number, link: number): void {
    const place = sequence & this.#mask;
    if (this.#sequences[place] === sequence && this.#lastLinks[place] === link) this.#prove(place, link);
  }

  /** The ordinal of the newest packet that is known to have arrived by the link; what came before it is not waited for. */
  proven(link: number): number {
    return this.#proven[link];
  }

  /** Packets that the link alone carried and that have arrived. */
  delivered(link: number): number {
    return this.#delivered[link];
  }

  /** The next packet from `sequence` on that one of `links`, bits, has in flight, or a link that is gone; NO_SEQUENCE for none. */
  nextInFlight(links: number, sequence: number): number {
    if (this.#newest === NO_SEQUENCE) return NO_SEQUENCE;
    const wanted = links | (1 << this.#orphans);
    const end = nextSequence(this.#newest);
    const oldest = this.#oldest();
    let at = sequenceDistance(oldest, sequence) > 0 ? sequence : oldest;
    for (; sequenceDistance(at, end) > 0; at = nextSequence(at)) {
      const link = this.#links[at & this.#mask];
      if (link !== NO_LINK && ((wanted >> link) & 1) !== 0) return at;
    }
    return NO_SEQUENCE;
  }

  /** Packets in flight that were carried by links that are gone. */
  get orphans(): number {
    return this.#inFlight[this.#orphans];
  }

  /** How long ago a packet that is in flight was sent for the first time. */
  ageMs(sequence: number, nowUs: number): number {
    return (((nowUs / 1000) | 0) - this.#firstMs[sequence & this.#mask]) | 0;
  }

  /** How long ago a packet was sent by `link`, if only there and once, so that its echo tells the round trip; -1 if not so. */
  echoMs(sequence: number, link: number, nowUs: number): number {
    const place = sequence & this.#mask;
    const isSole = this.#sequences[place] === sequence && this.#carriers[place] === 1 << link;
    return isSole && this.#repeated[place] === 0 ? (((nowUs / 1000) | 0) - this.#sentMs[place]) | 0 : -1;
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

  /** The link is gone: what it had in flight is nobody's, but still to be delivered. */
  orphan(link: number): void {
    if (this.#inFlight[link] === 0) return;
    const end = nextSequence(this.#newest);
    for (let at = this.#oldest(); at !== end; at = nextSequence(at)) {
      const place = at & this.#mask;
      if (this.#links[place] === link) this.#links[place] = this.#orphans;
    }
    this.#inFlight[this.#orphans] += this.#inFlight[link];
    this.#inFlight[link] = 0;
  }

  /** Another link of this number begins, or the same one anew: of its packets those before `ordinal` count no more. */
  restartLink(link: number, ordinal: number): void {
    this.#proven[link] = ordinal;
  }

  /** Another session begins: whatever comes next is its first. */
  clear(): void {
    this.#newest = NO_SEQUENCE;
    // The answers to what the last has sent may still be under way.
    this.#sequences.fill(NO_SEQUENCE);
    this.#links.fill(NO_LINK);
    this.#inFlight.fill(0);
  }

  /** Where the packets begin that may be in flight. */
  #oldest(): number {
    const places = this.#mask + 1;
    const behind = sequenceDistance(this.#acknowledged, this.#newest);
    return behind < places ? this.#acknowledged : addSequence(this.#newest, 1 - places);
  }

  #begin(sequence: number): void {
    this.clear();
    this.#newest = sequence & SEQUENCE_MASK;
    this.#acknowledged = this.#newest;
  }

  #prove(place: number, link: number): void {
    const ordinal = this.#ordinals[place];
    if (((ordinal - this.#proven[link]) | 0) > 0) this.#proven[link] = ordinal;
  }

  #release(place: number): number {
    const link = this.#links[place];
    if (link === NO_LINK) return NO_LINK;
    this.#links[place] = NO_LINK;
    this.#inFlight[link] -= 1;
    return link;
  }
}
