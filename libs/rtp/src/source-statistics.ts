import { coarseTime, elapsedUs } from './coarse-time.ts';
import { MAX_DROPOUT, MAX_MISORDER, sequenceDelta } from './sequence-number.ts';

/** Packets in order that make a source valid (RFC 3550 A.1). */
export const MIN_SEQUENTIAL = 2;

/** What `RtpSourceStatistics.update` says of a packet. */
export const Arrival = {
  /** The newest so far, or the first of a source that is now valid. */
  inOrder: 0,
  /** Late: a newer one came before it. */
  reordered: 1,
  /** Came before. */
  duplicate: 2,
  /** From a source that has not yet sent MIN_SEQUENTIAL packets in order: counted, and up to the caller whether it is used. */
  provisional: 3,
  /** Far off the valid source's sequence: garbage, or the first packet after a restart. Counted. */
  jump: 4,
} as const;
export type Arrival = (typeof Arrival)[keyof typeof Arrival];

/**
 * What a receiver knows of the stream that it receives: RFC 3550 A.1 (sequence, probation, restart), A.3 (loss) and A.8
 * (jitter), with reordering and duplicates on top. One object follows a channel through changes of SSRC and restarts of a
 * sender: a new source must prove itself with MIN_SEQUENTIAL packets in order, and is then credited with them (A.1 forgets
 * them, which would report one packet less than was sent). `lost` and the report blocks speak of the present source,
 * the `total...` getters of all of them. Plain fields throughout: an instance is carried to another thread by structured clone
 * and `Object.assign`.
 */
export class RtpSourceStatistics {
  // First what every packet needs: it shares three cache lines.
  /** Everything that came, provisional packets, jumps and duplicates too. */
  packets = 0;
  /** Payload bytes of everything that came. */
  octets = 0;
  valid = false;
  /** The valid source, int32. Meaningless until `valid`. */
  ssrc = 0;
  /** Highest extended sequence number of the source: 16 bits of sequence and the wraps above it. */
  extendedSequence = 0;
  /** Of the source since `base`, duplicates and late ones included (A.3). */
  private received = 0;
  /** A source or a restart that is proving itself: `candidateRun` packets in order, `candidateNext` comes next. */
  private candidateRun = 0;
  /** Bit i of the 128: `extendedSequence - i` has come. Covers MAX_MISORDER. */
  private seen0 = 0;
  private seen1 = 0;
  private seen2 = 0;
  private seen3 = 0;
  private timestamp = 0;
  /** Of the packet before, in clock units. */
  private transit = 0;
  /** 16 times the jitter, as A.8 keeps it. */
  private jitter16 = 0;
  private maxJitter16 = 0;
  /** Coarse time of the last packet. */
  private arrivedAt = 0;
  /** Of the RTP clock: the unit of `jitter`. */
  clockRateHz: number;

  reordered = 0;
  duplicates = 0;
  /** Packets that no valid source's sequence could hold. */
  jumps = 0;
  ssrcChanges = 0;
  restarts = 0;

  private base = 0;
  private sourceDuplicates = 0;
  private expectedPrior = 0;
  private receivedPrior = 0;
  private pastExpected = 0;
  private pastUnique = 0;
  private candidateSsrc = 0;
  private candidateNext = 0;

  constructor(clockRateHz: number) {
    this.clockRateHz = clockRateHz;
  }

  /** Takes one packet in. `timestamp` int32, `nowUs` its arrival. */
  update(ssrc: number, sequence: number, timestamp: number, payloadLength: number, nowUs: number): Arrival {
    this.packets++;
    this.octets += payloadLength;
    this.arrivedAt = coarseTime(nowUs);
    ssrc |= 0;
    if (!this.valid || ssrc !== this.ssrc) return this.prove(ssrc, sequence, timestamp, nowUs);

    const ahead = sequenceDelta(sequence, this.extendedSequence);
    if (ahead > 0 && ahead < MAX_DROPOUT) {
      this.candidateRun = 0;
      this.received++;
      this.extendedSequence += ahead;
      this.shiftSeen(ahead);
      this.updateJitter(timestamp, nowUs);
      return Arrival.inOrder;
    }
    if (ahead <= 0 && ahead > -MAX_MISORDER) {
      this.received++;
      if (this.markSeen(-ahead)) {
        this.duplicates++;
        this.sourceDuplicates++;
        return Arrival.duplicate;
      }
      this.reordered++;
      if (this.extendedSequence + ahead < this.base) this.base = this.extendedSequence + ahead;
      return Arrival.reordered;
    }
    return this.prove(ssrc, sequence, timestamp, nowUs);
  }

  /** When the last packet came, exact to a millisecond; -Infinity if none has. */
  lastArrivalUs(nowUs: number): number {
    return this.packets === 0 ? -Infinity : nowUs - elapsedUs(nowUs, this.arrivedAt);
  }

  /** Packets that the present source must have sent. */
  get expected(): number {
    return this.valid ? this.extendedSequence - this.base + 1 : 0;
  }

  /** Cumulative loss of the present source as A.3 has it: duplicates count as received, so it may be negative. */
  get lost(): number {
    return this.expected - this.received;
  }

  /** Packets that all sources of this stream must have sent. */
  get totalExpected(): number {
    return this.pastExpected + this.expected;
  }

  /** Packets that never came, of all sources; a duplicate makes up for none. */
  get totalLost(): number {
    return this.totalExpected - this.pastUnique - this.received + this.sourceDuplicates;
  }

  /** Interarrival jitter in clock units (RFC 3550 A.8). */
  get jitter(): number {
    return this.jitter16 >> 4;
  }

  get jitterMs(): number {
    return (this.jitter16 * 1000) / (16 * this.clockRateHz);
  }

  /** The highest `jitterMs` so far, of all sources. */
  get maxJitterMs(): number {
    return (this.maxJitter16 * 1000) / (16 * this.clockRateHz);
  }

  /**
   * Loss since the call before, in 1/256 (0 to 255, RFC 3550 A.3), and begins the next interval: once for each report sent.
   */
  takeFractionLost(): number {
    const expected = this.expected - this.expectedPrior;
    const lost = expected - (this.received - this.receivedPrior);
    this.expectedPrior = this.expected;
    this.receivedPrior = this.received;
    return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected));
  }

  private prove(ssrc: number, sequence: number, timestamp: number, nowUs: number): Arrival {
    const known = this.valid && ssrc === this.ssrc;
    if (known) this.jumps++;
    const inOrder = this.candidateRun > 0 && ssrc === this.candidateSsrc && sequence === this.candidateNext;
    this.candidateSsrc = ssrc;
    this.candidateNext = (sequence + 1) & 0xffff;
    this.candidateRun = inOrder ? this.candidateRun + 1 : 1;
    if (this.candidateRun < MIN_SEQUENTIAL) {
      return known ? Arrival.jump : Arrival.provisional;
    }
    if (this.valid) {
      if (known) this.restarts++;
      else this.ssrcChanges++;
    }
    this.adopt(ssrc, sequence, timestamp, nowUs);
    return Arrival.inOrder;
  }

  private adopt(ssrc: number, sequence: number, timestamp: number, nowUs: number): void {
    this.pastExpected += this.expected;
    this.pastUnique += this.received - this.sourceDuplicates;
    this.ssrc = ssrc;
    this.valid = true;
    // One cycle up, so that the packets of the run lie above 0 even when the run spans a wrap.
    this.extendedSequence = sequence < MIN_SEQUENTIAL - 1 ? sequence + 0x10000 : sequence;
    this.base = this.extendedSequence - (MIN_SEQUENTIAL - 1);
    this.received = MIN_SEQUENTIAL;
    this.sourceDuplicates = 0;
    this.expectedPrior = 0;
    this.receivedPrior = 0;
    this.candidateRun = 0;
    this.seen0 = (1 << MIN_SEQUENTIAL) - 1;
    this.seen1 = 0;
    this.seen2 = 0;
    this.seen3 = 0;
    this.jitter16 = 0;
    this.timestamp = timestamp;
    this.transit = (this.arrivalUnits(nowUs) - timestamp) | 0;
  }

  private updateJitter(timestamp: number, nowUs: number): void {
    // Packets of one event or frame share a timestamp (RFC 4733 2.2.1): the time between them is no jitter.
    if (timestamp === this.timestamp) return;
    this.timestamp = timestamp;
    const transit = (this.arrivalUnits(nowUs) - timestamp) | 0;
    const difference = Math.abs((transit - this.transit) | 0);
    this.transit = transit;
    // A jump of the sender's timestamp is no delay: beyond a minute it would spoil the mean for a whole call.
    if (difference > 60 * this.clockRateHz) return;
    this.jitter16 += difference - ((this.jitter16 + 8) >> 4);
    if (this.jitter16 > this.maxJitter16) this.maxJitter16 = this.jitter16;
  }

  private arrivalUnits(nowUs: number): number {
    return Math.floor((nowUs * this.clockRateHz) / 1e6) | 0;
  }

  private shiftSeen(by: number): void {
    while (by >= 32) {
      this.seen3 = this.seen2;
      this.seen2 = this.seen1;
      this.seen1 = this.seen0;
      this.seen0 = 0;
      by = by > 128 ? 96 : by - 32;
    }
    if (by > 0) {
      this.seen3 = (this.seen3 << by) | (this.seen2 >>> (32 - by));
      this.seen2 = (this.seen2 << by) | (this.seen1 >>> (32 - by));
      this.seen1 = (this.seen1 << by) | (this.seen0 >>> (32 - by));
      this.seen0 <<= by;
    }
    this.seen0 |= 1;
  }

  /** Marks the packet `behind` the newest as come; true when it had been already. */
  private markSeen(behind: number): boolean {
    const bit = 1 << (behind & 31);
    const word = behind >> 5;
    const before = word === 0 ? this.seen0 : word === 1 ? this.seen1 : word === 2 ? this.seen2 : this.seen3;
    if ((before & bit) !== 0) return true;
    if (word === 0) this.seen0 |= bit;
    else if (word === 1) this.seen1 |= bit;
    else if (word === 2) this.seen2 |= bit;
    else this.seen3 |= bit;
    return false;
  }
}
