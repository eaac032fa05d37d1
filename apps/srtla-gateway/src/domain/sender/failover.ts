import type { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { Resender } from './resender.ts';
import type { SendLog } from './send-log.ts';
import type { SenderEvents } from './sender-parts.ts';

/** A link is suspect when at least so many of its packets are unproven ... */
const SUSPECT_PACKETS = 16;
/** ... and the oldest of them is older than two round trips, but no less than this ... */
const SUSPECT_AGE_MS = 40;
/** ... and no more than a part of the SRT latency, so that there is time left to send them again. */
const LATENCY_PART = 4;
/** Proof comes when a receiver has ten packets to acknowledge, at the latest, and jitters. */
const PROOF_PACKETS = 10;
const PROOF_JITTER_MS = 20;
const JITTER_DEVIATIONS = 4;
/** How often links are looked at. */
const WATCH_US = 5000;
/** A suspect link is asked this often whether it is back. */
const PROBE_US = 50_000;
/** Suspect for so long it is taken for dead: what it carried before proves nothing any more, and it comes back small. */
const DEAD_US = 250_000;
/** A link that dies again so soon after it came back is held off longer each time. */
const FLAP_US = 10e6;
const FIRST_HOLD_US = 0.5e6;
const MOST_HOLD_US = 8e6;

export interface FailoverParts {
  readonly links: LinkTable;
  readonly log: SendLog;
  readonly resender: Resender;
  readonly events: Pick<SenderEvents, 'failover' | 'recovered'>;
  /** Asks the link whether it is there, unless that was done less than `intervalUs` ago. */
  probe(link: SenderLink, nowUs: number, intervalUs: number): void;
}

/**
 * Notices a link that delivers nothing before SRT does: it gets no more, and what it has in flight goes out again by others while there
 * is time for it. Driven by whatever happens: packets of the encoder, answers of the receiver, and a timer for when neither comes.
 */
export class Failover {
  readonly #parts: FailoverParts;
  #watchedUs = -Infinity;
  #progressUs = -Infinity;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
  }

  /** Something has happened, or time has gone by. */
  onProgress(latencyMs: number, nowUs: number): void {
    if (nowUs - this.#watchedUs >= WATCH_US) this.#watch(latencyMs, nowUs);
    if (this.#parts.resender.isBusy) this.#parts.resender.run(latencyMs, nowUs - this.#progressUs, nowUs);
    this.#progressUs = nowUs;
  }

  /** The link is gone: others take over what it had in flight. */
  onLost(link: SenderLink, nowUs: number): void {
    this.#parts.log.orphan(link.index);
    if (this.#parts.log.orphans > 0) this.#parts.resender.begin(0, nowUs);
  }

  /** The kernel refused `count` packets of the link: they have not even left. */
  onSendFailures(link: SenderLink, count: number, nowUs: number): void {
    if (link.state !== 'live') return;
    if (link.suspect) link.suspectedUs = nowUs;
    else if (!this.#suspect(link, nowUs)) return;
    this.#parts.resender.begin(count * link.meter.meanBytes, nowUs);
  }

  /** A keepalive that went out at `sentUs` has come back. */
  onEcho(link: SenderLink, sentUs: number, nowUs: number): void {
    // What went out before the last one is not waited for; an echo of one before that comes too late to prove anything.
    if (!link.suspect && sentUs + 1000 > link.keepaliveUs) {
      link.onProof(link.keepaliveSent, nowUs);
      link.beginSilence(nowUs);
    }
    // Asked after it was suspected, it has answered: both its ways are open.
    if (link.suspect && sentUs > link.suspectedUs) this.#recover(link, nowUs);
  }

  /** Looks whose packets are unproven for too long. */
  #watch(latencyMs: number, nowUs: number): void {
    this.#watchedUs = nowUs;
    const { live } = this.#parts.links;
    for (let i = 0; i < live.length; i += 1) {
      const link = live[i];
      const isProven = link.onProof(this.#parts.log.proven(link.index), nowUs);
      if (link.suspect) {
        const isDead = nowUs - link.suspectedUs >= DEAD_US;
        if (isProven && !isDead) this.#recover(link, nowUs);
        if (link.suspect) this.#parts.probe(link, nowUs, PROBE_US);
      } else if (link.unproven > 0 && link.silentMs(nowUs) > SUSPECT_AGE_MS) {
        if (isOverdue(link, latencyMs, nowUs)) this.#suspect(link, nowUs);
        else this.#parts.probe(link, nowUs, PROBE_US);
      }
    }
  }

  /** Returns false where there is no other to take its place. */
  #suspect(link: SenderLink, nowUs: number): boolean {
    if (!this.#parts.links.takers.some((other) => other !== link && !other.suspect)) return false;
    const isFlap = link.holdUs > 0 && nowUs - link.recoveredUs < FLAP_US;
    if (!isFlap) link.holdUs = 0;
    link.suspect = true;
    link.suspectedUs = nowUs;
    this.#parts.resender.begin(0, nowUs);
    this.#parts.events.failover(link);
    return true;
  }

  /** The link has proven itself; one that has died more than once of late has to wait. */
  #recover(link: SenderLink, nowUs: number): void {
    const suspectUs = nowUs - link.suspectedUs;
    if (suspectUs < link.holdUs) return;
    if (suspectUs >= DEAD_US) {
      link.holdUs = Math.min(Math.max(link.holdUs * 2, FIRST_HOLD_US), MOST_HOLD_US);
      link.beginSmall();
      // What it carried before is held against it no more.
      link.onProof(link.sent, nowUs);
    }
    link.beginSilence(nowUs);
    link.suspect = false;
    link.recoveredUs = nowUs;
    this.#parts.events.recovered(link);
  }
}

/**
 * Whether what should have been proven was not: its oldest unproven packet is too old, and nothing has been proven for longer than it
 * takes. A queue that grows makes packets old, but goes on proving; to take such a link out would only fill the queues of the others.
 * Where it has carried too few packets to tell (half of 2 Mbit/s are 16 in 160 ms), it has not answered when it was asked.
 */
function isOverdue(link: SenderLink, latencyMs: number, nowUs: number): boolean {
  const { rtt, unproven, unansweredUs } = link;
  const rttMs = Math.max(rtt.valueMs, 0);
  const jitterMs = PROOF_JITTER_MS + JITTER_DEVIATIONS * rtt.deviationMs;
  const tooOldMs = Math.min(Math.max(2 * rttMs, SUSPECT_AGE_MS), latencyMs / LATENCY_PART);
  // No proof can be here sooner, however short the latency is.
  const soonestMs = rttMs + jitterMs;
  if (unproven < SUSPECT_PACKETS) return nowUs - unansweredUs > Math.max(tooOldMs, soonestMs) * 1000;
  const oldestMs = link.unprovenMs(0, nowUs);
  // The one that makes a receiver send its acknowledgement.
  const tenthMs = link.unprovenMs(PROOF_PACKETS - 1, nowUs);
  const isSilent = link.silentMs(nowUs) > oldestMs - tenthMs + jitterMs;
  return isSilent && tenthMs > soonestMs && oldestMs > tooOldMs;
}
