import { coarseTime, elapsedUs } from './coarse-time.ts';
import { MAX_DROPOUT, MAX_MISORDER, sequenceDelta } from './sequence-number.ts';

/** An input timestamp that has left the wall clock by this much has jumped. Longer than an event segment (8.2 s, RFC 4733 2.5.1.3). */
const TIMESTAMP_JUMP_S = 10;
/** Drift between the clocks of sender and receiver is followed by 1 in 2^10 for each packet. */
const DRIFT_SHIFT = 10;

/** A line this far behind the wall clock, in units modulo 2^32, has been silent for longer than 2^31 of them. */
const WRAPPED = -(2 ** 30);

/** Who wrote the audio before. */
const Writer = { none: 0, relay: 1, generator: 2 } as const;
type Writer = (typeof Writer)[keyof typeof Writer];

/**
 * The line that a sender is on: one SSRC, sequence numbers without a gap of its own making, timestamps that advance with wall
 * time (RFC 3550 5.1), whatever takes turns in feeding it: relayed streams, playback, telephone events.
 *
 * Each method sets `sequence`, `timestamp` and `marker` for one packet. A relayed stream is mapped by offsets, so that its own
 * gaps and reordering go through. When the writer changes, or the input does (another SSRC, a restart, a jump of its timestamp),
 * the next packet is anchored: the sequence goes on by one, the timestamp by the wall time that has passed, at least one frame,
 * and the marker says that a talk spurt begins (RFC 3551 4.1). Events are inserted: what they interrupt goes on behind them.
 */
export class OutboundStream {
  // First what every relayed packet needs: it shares three cache lines.
  /** int32. */
  readonly ssrc: number;
  /** Of the packet to be sent. */
  sequence: number;
  /** Of the packet to be sent, int32. */
  timestamp: number;
  marker = false;
  /** For sender reports. */
  packetsSent = 0;
  octetsSent = 0;
  /** Coarse time of the last packet that was sent. */
  private sentAt = 0;
  private writer: Writer = Writer.none;
  private inSsrc = 0;
  /** Of the newest relayed packet. */
  private inSequence = 0;
  private inTimestampOffset = 0;
  /** Wall clock less input timestamp, in units. */
  private inTransit = 0;
  /** How a sender that has restarted would go on; -1: nothing looks like a restart. */
  private inRestart = -1;
  /** An event has taken sequence numbers since the last relayed packet. */
  private inserted = false;
  /** The furthest packet of the line: its extended sequence. */
  private newestSequence: number;
  /** The furthest timestamp. */
  private newestTimestamp: number;
  /** Timestamp less wall clock, in units: what ties the line to time. */
  private wallOffset: number;
  readonly clockRateHz: number;

  /** A generated frame in clock units, and the least step of the timestamp from one writer to the next. */
  private frameUnits: number;
  /** Extended output sequence of the first packet since the anchor: a late one from before it has no place. */
  private inFloor = 0;

  /** The grid of the generated frames: where it is anchored and the last frame on it. */
  private gridTimestamp = 0;
  private gridFrame = 0;

  private eventTimestamp = 0;

  /** `firstSequence` and `firstTimestamp` should be random (RFC 3550 5.1); the timestamp runs from `nowUs` on. */
  constructor(
    ssrc: number,
    firstSequence: number,
    firstTimestamp: number,
    clockRateHz: number,
    frameUnits: number,
    nowUs: number,
  ) {
    this.ssrc = ssrc | 0;
    this.newestSequence = (firstSequence & 0xffff) + 0xffff;
    this.newestTimestamp = firstTimestamp | 0;
    this.sequence = this.newestSequence & 0xffff;
    this.timestamp = this.newestTimestamp;
    this.clockRateHz = clockRateHz;
    this.wallOffset = (this.newestTimestamp - this.units(nowUs)) | 0;
    this.frameUnits = frameUnits;
  }

  /** Another packet time: the next frame begins a talk spurt. */
  setFrameUnits(frameUnits: number): void {
    if (frameUnits === this.frameUnits) return;
    this.frameUnits = frameUnits;
    this.writer = Writer.none;
  }

  /** Puts a relayed packet on the line. False: do not send it; it is from before the last change, or a stray. */
  relay(inSsrc: number, inSequence: number, inTimestamp: number, inMarker: boolean, nowUs: number): boolean {
    const wall = this.units(nowUs);
    const transit = (wall - inTimestamp) | 0;
    if (this.writer !== Writer.relay || (inSsrc | 0) !== this.inSsrc) {
      this.anchorRelay(inSsrc, inSequence, inTimestamp, transit, nowUs);
      return true;
    }
    const ahead = sequenceDelta(inSequence, this.inSequence);
    if (ahead >= MAX_DROPOUT || ahead <= -MAX_MISORDER) {
      // One such packet is a stray, two in order are a sender that has restarted (RFC 3550 A.1).
      const restarted = inSequence === this.inRestart;
      this.inRestart = (inSequence + 1) & 0xffff;
      if (restarted) this.anchorRelay(inSsrc, inSequence, inTimestamp, transit, nowUs);
      return restarted;
    }
    const timestamp = (inTimestamp + this.inTimestampOffset) | 0;
    if (ahead <= 0) {
      const extended = this.newestSequence + ahead;
      if (this.inserted || extended < this.inFloor) return false;
      this.sequence = extended & 0xffff;
      this.timestamp = timestamp;
      this.marker = inMarker;
      return true;
    }
    const deviation = (transit - this.inTransit) | 0;
    if (Math.abs(deviation) > TIMESTAMP_JUMP_S * this.clockRateHz) {
      this.anchorRelay(inSsrc, inSequence, inTimestamp, transit, nowUs);
      return true;
    }
    this.inTransit = (this.inTransit + (deviation >> DRIFT_SHIFT)) | 0;
    this.inSequence = inSequence;
    this.inRestart = -1;
    this.marker = inMarker;
    if (this.inserted) {
      this.inserted = false;
      this.inFloor = this.newestSequence + 1;
      this.put(this.inFloor, timestamp);
    } else {
      this.put(this.newestSequence + ahead, timestamp);
    }
    // Packets of an event keep its timestamp while time goes on.
    if (((timestamp - this.newestTimestamp) | 0) > 0) {
      this.newestTimestamp = timestamp;
      this.wallOffset = (timestamp - wall) | 0;
    }
    return true;
  }

  /** Puts the next generated frame on the line: on the grid that the first frame of the spurt anchors. */
  generate(nowUs: number): void {
    if (this.writer !== Writer.generator) {
      this.writer = Writer.generator;
      this.gridTimestamp = this.nextTimestamp(nowUs);
      this.gridFrame = 0;
      this.marker = true;
    } else {
      // A tick that comes early is the next frame all the same; frames that were not made (a pause) leave their place empty.
      const due = Math.floor(((this.rtpTimestampAt(nowUs) - this.gridTimestamp) | 0) / this.frameUnits);
      this.marker = due > this.gridFrame + 1;
      this.gridFrame = Math.max(this.gridFrame + 1, due);
    }
    this.append((this.gridTimestamp + this.gridFrame * this.frameUnits) | 0);
  }

  /** Inserts the first packet of a telephone event; its timestamp is when the event began (RFC 4733 2.2.1). */
  beginEvent(nowUs: number): void {
    this.eventTimestamp = this.nextTimestamp(nowUs);
    this.continueEvent(0);
    this.marker = true;
  }

  /** Inserts a further packet of the event. `timestampOffset`: where its segment begins, in units from the event's start. */
  continueEvent(timestampOffset: number): void {
    this.append((this.eventTimestamp + timestampOffset) | 0);
    this.marker = false;
    this.inserted = true;
  }

  countSent(payloadLength: number, nowUs: number): void {
    this.packetsSent++;
    this.octetsSent += payloadLength;
    this.sentAt = coarseTime(nowUs);
  }

  /** When the last packet was sent, exact to a millisecond; -Infinity if none was. */
  lastSentUs(nowUs: number): number {
    return this.packetsSent === 0 ? -Infinity : nowUs - elapsedUs(nowUs, this.sentAt);
  }

  /** The timestamp, int32, that stands for a time: for a sender report (RFC 3550 6.4.1). */
  rtpTimestampAt(nowUs: number): number {
    return (this.units(nowUs) + this.wallOffset) | 0;
  }

  private anchorRelay(inSsrc: number, inSequence: number, inTimestamp: number, transit: number, nowUs: number): void {
    const timestamp = this.nextTimestamp(nowUs);
    this.writer = Writer.relay;
    this.inSsrc = inSsrc | 0;
    this.inSequence = inSequence;
    this.inTimestampOffset = (timestamp - inTimestamp) | 0;
    this.inFloor = this.newestSequence + 1;
    this.inTransit = transit;
    this.inRestart = -1;
    this.inserted = false;
    this.marker = true;
    this.append(timestamp);
  }

  /** Where the line goes on after another writer: at the wall time, and at least a frame ahead. */
  private nextTimestamp(nowUs: number): number {
    const wall = this.rtpTimestampAt(nowUs);
    const ahead = (wall - this.newestTimestamp) | 0;
    // Far behind is a silence so long that the timestamp has wrapped; a little behind is a line that writers have pushed ahead.
    if (ahead < WRAPPED) this.newestTimestamp = (wall - this.frameUnits) | 0;
    return (this.newestTimestamp + Math.max(this.frameUnits, ahead)) | 0;
  }

  /** The next packet of the line's own. */
  private append(timestamp: number): void {
    this.put(this.newestSequence + 1, timestamp);
    if (((timestamp - this.newestTimestamp) | 0) > 0) this.newestTimestamp = timestamp;
  }

  private put(extendedSequence: number, timestamp: number): void {
    this.newestSequence = extendedSequence;
    this.sequence = extendedSequence & 0xffff;
    this.timestamp = timestamp;
  }

  private units(us: number): number {
    return Math.round((us * this.clockRateHz) / 1e6);
  }
}
