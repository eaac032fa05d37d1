import { nextSequence } from '@mediaplane/srtla';
import type { SenderLink } from './link.ts';
import type { PacketRing } from './packet-ring.ts';
import { NO_SEQUENCE } from './send-log.ts';
import type { SendLog } from './send-log.ts';
import type { SenderCounters, SenderEvents, SenderOutput } from './sender-parts.ts';

/** A link is suspect when at least so many of its packets are unproven ... */
const SUSPECT_PACKETS = 16;
/** ... and the oldest of them is older than two round trips, but no less than this ... */
const SUSPECT_AGE_MS = 40;
/** ... and no more than a part of the SRT latency, so that there is time left to send them again. */
const LATENCY_PART = 4;
/** Proof comes with the server's acknowledgements, each 10 ms, a round trip after the packet. */
const PROOF_INTERVAL_MS = 20;
/** libsrt's default, until a handshake has told. */
const DEFAULT_LATENCY_MS = 120;
/** How often links are looked at, while packets come. */
const WATCH_US = 5000;
/** A suspect link is asked this often whether it is back. */
const PROBE_US = 50_000;
/** Packets that go out again beside each new one: catching up takes the links no more than five times the stream. */
const RESENDS_PER_PACKET = 4;

export interface FailoverParts {
  readonly links: readonly SenderLink[];
  readonly log: SendLog;
  readonly ring: PacketRing;
  readonly output: Pick<SenderOutput, 'toReceiver'>;
  readonly events: Pick<SenderEvents, 'failover' | 'recovered'>;
  readonly counters: Pick<SenderCounters, 'resent' | 'expired'>;
  /** The best link for one more packet. */
  select(): SenderLink | undefined;
  /** Asks the link whether it is there, unless that was done less than `intervalUs` ago. */
  keepAlive(link: SenderLink, nowUs: number, intervalUs: number): void;
}

/**
 * Notices a link that delivers nothing before SRT does: it gets no more, and what it has in flight goes out again by others while there
 * is time for it. All of it is driven by the encoder's packets: without them there is nothing to lose.
 */
export class Failover {
  /** Of the SRT session: a packet that is later than this is of no use. */
  latencyMs = DEFAULT_LATENCY_MS;
  readonly #parts: FailoverParts;
  /** By link: where its packets that are to go out again begin; NO_SEQUENCE when none are left. */
  readonly #resendFrom: Int32Array;
  /** Suspect links that have some left. */
  #failing = 0;
  #watchedUs = -Infinity;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
    this.#resendFrom = new Int32Array(parts.links.length).fill(NO_SEQUENCE);
  }

  /** A packet of the encoder has gone out. */
  onPacket(nowUs: number): void {
    if (nowUs - this.#watchedUs >= WATCH_US) this.#watch(nowUs);
    if (this.#failing > 0) this.#resend(nowUs);
  }

  /** The link is down: nothing of it is to go out again. */
  forget({ index }: SenderLink): void {
    if (this.#resendFrom[index] !== NO_SEQUENCE) this.#endResending(index);
  }

  /** Looks whose packets are unproven for too long. */
  #watch(nowUs: number): void {
    this.#watchedUs = nowUs;
    for (const link of this.#parts.links) {
      if (link.state !== 'live') continue;
      if (this.#parts.log.takeProof(link.index)) link.onProof();
      if (link.suspect) {
        if (link.unproven === 0) this.recover(link);
        else this.#parts.keepAlive(link, nowUs, PROBE_US);
      } else if (link.unproven >= SUSPECT_PACKETS) {
        if (nowUs - link.unprovenSinceUs > this.#suspectAgeUs(link)) this.#suspect(link, nowUs);
      }
    }
  }

  #suspectAgeUs({ rttMs }: SenderLink): number {
    const ageMs = Math.min(Math.max(2 * rttMs, SUSPECT_AGE_MS), this.latencyMs / LATENCY_PART);
    // No proof can be here sooner, however short the latency is.
    return Math.max(ageMs, rttMs + PROOF_INTERVAL_MS) * 1000;
  }

  #suspect(link: SenderLink, nowUs: number): void {
    // With no other there is nobody to take its place.
    if (!this.#parts.links.some((other) => other !== link && other.state === 'live' && !other.suspect)) return;
    link.suspect = true;
    link.suspectedUs = nowUs;
    this.#resendFrom[link.index] = this.#parts.log.oldest;
    this.#failing += 1;
    this.#parts.events.failover(link);
  }

  /** The link has proven itself. */
  recover(link: SenderLink): void {
    link.suspect = false;
    // What it carried before is held against it no more.
    link.onProof();
    if (this.#resendFrom[link.index] !== NO_SEQUENCE) this.#endResending(link.index);
    this.#parts.events.recovered(link);
  }

  #endResending(index: number): void {
    this.#resendFrom[index] = NO_SEQUENCE;
    this.#failing -= 1;
  }

  /** Sends some of what suspect links have in flight by others, the oldest first: its time is up first. */
  #resend(nowUs: number): void {
    for (const link of this.#parts.links) {
      if (!link.suspect || this.#resendFrom[link.index] === NO_SEQUENCE) continue;
      for (let count = 0; count < RESENDS_PER_PACKET; count += 1) {
        const sequence = this.#parts.log.nextInFlight(link.index, this.#resendFrom[link.index]);
        if (sequence === NO_SEQUENCE) {
          this.#endResending(link.index);
          break;
        }
        this.#resendFrom[link.index] = nextSequence(sequence);
        this.#resendOne(sequence, nowUs);
      }
    }
  }

  #resendOne(sequence: number, nowUs: number): void {
    const length = this.#parts.ring.lengthOf(sequence);
    if (length === 0 || this.#parts.log.ageMs(sequence, nowUs) >= this.latencyMs) {
      this.#parts.counters.expired += 1;
      this.#parts.log.settle(sequence);
      return;
    }
    const other = this.#parts.select();
    if (other === undefined || other.suspect) return;
    this.#parts.log.sent(sequence, other.index, nowUs);
    this.#parts.counters.resent += 1;
    other.onSent(length, nowUs);
    this.#parts.output.toReceiver(other, this.#parts.ring.offsetOf(sequence), length);
  }
}
