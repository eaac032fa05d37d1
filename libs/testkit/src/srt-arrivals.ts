import { nextSequence, sequenceDistance } from '@mediaplane/srtla';
import type { LossRange } from '@mediaplane/srtla';
import { FLOW_WINDOW_PACKETS } from './srt-settings.ts';

/** A packet that was played. */
export interface SrtDelivery {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** When it was sent, on the receiver's clock and as if the caller's conclusion had taken no time on its way. */
  readonly originUs: number;
  readonly arrivalUs: number;
  readonly isRetransmitted: boolean;
}

export interface SrtArrivalCounts {
  /** Each packet once. */
  received: number;
  /** Of `received`, those that came with the R bit: the first copy did not arrive, or later. */
  retransmitted: number;
  /** Came again. */
  duplicates: number;
  /** Of `received`, those that came after one with a higher number and without the R bit. */
  reordered: number;
  /** Of `received`, those that came after they should have been played, and were played at once: nothing behind them was due yet. */
  belated: number;
  /** Came when they had been given up. */
  late: number;
  /** No packet of this session, by its number. */
  strange: number;
  delivered: number;
}

export interface SrtArrivalOptions {
  readonly initialSequence: number;
  readonly latencyUs: number;
  /** When the caller's conclusion came, and its timestamp: by them the receiver knows the caller's clock. */
  readonly startUs: number;
  readonly startTimestampUs: number;
  /** A gap is reported at once when so many packets have come after it (SRTO_LOSSMAXTTL). */
  readonly reorderPackets: number;
}

interface Missing {
  readonly sinceUs: number;
  /** Packets that came since. */
  after: number;
  reportedUs: number;
}

/**
 * The receiving end of a stream: puts packets in order, knows which are missing, and plays each at its origin time and the latency
 * (TSBPD, draft-sharabayko-srt-01, section 4.5; without the tracer of clock drift, for sessions of minutes). What is missing when the
 * packets behind it are due is given up (too-late packet drop, section 4.6).
 */
export class SrtArrivals {
  readonly counts: SrtArrivalCounts = {
    received: 0,
    retransmitted: 0,
    duplicates: 0,
    reordered: 0,
    belated: 0,
    late: 0,
    strange: 0,
    delivered: 0,
  };
  /** Given up, in order. */
  readonly missed: number[] = [];
  readonly #options: SrtArrivalOptions;
  readonly #packets = new Map<number, SrtDelivery>();
  readonly #missing = new Map<number, Missing>();
  readonly #missed = new Set<number>();
  /** To be played next. */
  #next: number;
  /** Behind the newest that came. */
  #end: number;
  #timestampUs: number;
  #elapsedUs = 0;

  constructor(options: SrtArrivalOptions) {
    this.#options = options;
    this.#next = this.#end = options.initialSequence;
    this.#timestampUs = options.startTimestampUs;
  }

  /** The first packet that is missing: everything below it came or was given up. */
  get acknowledged(): number {
    const [first] = this.#missing.keys();
    return first ?? this.#end;
  }

  /** Packets that wait to be played, or are missing among them. */
  get waiting(): number {
    return sequenceDistance(this.#next, this.#end);
  }

  /** Takes a packet in. `timestampUs`: as on the wire, uint32. */
  add(sequence: number, timestampUs: number, isRetransmitted: boolean, payload: Uint8Array, nowUs: number): void {
    const { counts } = this;
    const ahead = sequenceDistance(this.#end, sequence);
    if (ahead >= FLOW_WINDOW_PACKETS || ahead < -FLOW_WINDOW_PACKETS) {
      counts.strange += 1;
      return;
    }
    if (this.#missed.has(sequence)) {
      counts.late += 1;
      return;
    }
    if (ahead < 0 && !this.#missing.has(sequence)) {
      counts.duplicates += 1;
      return;
    }
    counts.received += 1;
    if (isRetransmitted) counts.retransmitted += 1;
    else if (ahead < 0) counts.reordered += 1;
    for (const missing of this.#missing.values()) missing.after += 1;
    this.#missing.delete(sequence);
    for (; ahead >= 0 && this.#end !== sequence; this.#end = nextSequence(this.#end)) {
      this.#missing.set(this.#end, { sinceUs: nowUs, after: 1, reportedUs: -Infinity });
    }
    if (ahead >= 0) this.#end = nextSequence(sequence);
    const originUs = this.#options.startUs + this.#elapsed(timestampUs);
    if (nowUs > originUs + this.#options.latencyUs) counts.belated += 1;
    this.#packets.set(sequence, { sequence, payload, originUs, arrivalUs: nowUs, isRetransmitted });
  }

  /** Plays what is due, in order. */
  play(nowUs: number, deliver: (packet: SrtDelivery) => void): void {
    const dueUs = nowUs - this.#options.latencyUs;
    for (;;) {
      const packet = this.#nextThere();
      if (packet === undefined || packet.originUs > dueUs) return;
      for (; this.#next !== packet.sequence; this.#next = nextSequence(this.#next)) this.#giveUp(this.#next);
      this.#next = nextSequence(this.#next);
      this.#packets.delete(packet.sequence);
      this.counts.delivered += 1;
      deliver(packet);
    }
  }

  /** Gaps that were not reported yet and cannot be packets that overtook each other any more. */
  freshLosses(nowUs: number): LossRange[] {
    const { reorderPackets } = this.#options;
    return this.#report(nowUs, ({ reportedUs, after }) => reportedUs === -Infinity && after > reorderPackets);
  }

  /** All that is missing for `ageUs` and was not reported in that time. */
  periodicLosses(ageUs: number, nowUs: number): LossRange[] {
    const untilUs = nowUs - ageUs;
    return this.#report(nowUs, ({ sinceUs, reportedUs }) => sinceUs <= untilUs && reportedUs <= untilUs);
  }

  #report(nowUs: number, isDue: (missing: Missing) => boolean): LossRange[] {
    const ranges: { first: number; last: number }[] = [];
    for (const [sequence, missing] of this.#missing) {
      if (!isDue(missing)) continue;
      missing.reportedUs = nowUs;
      const range = ranges.at(-1);
      if (range !== undefined && nextSequence(range.last) === sequence) range.last = sequence;
      else ranges.push({ first: sequence, last: sequence });
    }
    return ranges;
  }

  #nextThere(): SrtDelivery | undefined {
    for (let sequence = this.#next; sequence !== this.#end; sequence = nextSequence(sequence)) {
      const packet = this.#packets.get(sequence);
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  #giveUp(sequence: number): void {
    this.#missing.delete(sequence);
    this.#missed.add(sequence);
    this.missed.push(sequence);
  }

  /** Time since the caller's conclusion, across the wrap of its timestamps. */
  #elapsed(timestampUs: number): number {
    this.#elapsedUs += (timestampUs - this.#timestampUs) | 0;
    this.#timestampUs = timestampUs;
    return this.#elapsedUs;
  }
}
