import { nextSequence } from '@mediaplane/srtla';
import type { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { PacketRing } from './packet-ring.ts';
import { NO_SEQUENCE } from './send-log.ts';
import type { SendLog } from './send-log.ts';
import type { SenderCounters, SenderOutput } from './sender-parts.ts';

/** At once, before any rate counts. */
const BURST_BYTES = 4 * 1500;
/** What was not used for so long is not saved up. */
const SAVED_US = 50_000;
/** Whatever the healthy links have to spare, all of it is out in this part of the time that the most urgent has left. */
const URGENT_PART = 0.5;
const LEAST_LEFT_US = 1000;

export interface ResenderParts {
  readonly links: LinkTable;
  readonly log: SendLog;
  readonly ring: PacketRing;
  readonly output: Pick<SenderOutput, 'toReceiver'>;
  readonly counters: Pick<SenderCounters, 'resent' | 'expired'>;
  /** The best link for one more packet, not one of `avoided`. */
  select(avoided: number, nowUs: number): SenderLink | undefined;
}

/**
 * Sends what suspect links, and links that are gone, have in flight again by others. The lowest sequence number goes first, for its time
 * is up first; what is too late is left out. It goes no faster than the others have to spare, but fast enough to be in time.
 */
export class Resender {
  readonly #parts: ResenderParts;
  /** Where the packets begin that are to go out again; NO_SEQUENCE when none are left. */
  #cursor = NO_SEQUENCE;
  #creditBytes = 0;
  #ranUs = -Infinity;
  /** When all is to be out; -1: to be reckoned by the most urgent. */
  #outByUs = -1;

  constructor(parts: ResenderParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#cursor !== NO_SEQUENCE;
  }

  /** There is more to be sent again, of which `atOnceBytes` have not even left. */
  begin(atOnceBytes: number, nowUs: number): void {
    if (!this.isBusy) this.#ranUs = nowUs;
    this.#outByUs = -1;
    this.#cursor = this.#parts.log.oldest;
    this.#creditBytes = Math.max(this.#creditBytes, BURST_BYTES) + atOnceBytes;
  }

  /** Another session begins: nothing of the last is to go out again. */
  stop(): void {
    this.#cursor = NO_SEQUENCE;
  }

  /** Sends what may go now. @param gapUs until it is likely to be called again: what it was since it could have been called last */
  run(latencyMs: number, gapUs: number, nowUs: number): void {
    const { log, ring, counters } = this.#parts;
    const suspects = this.#suspects();
    this.#cursor = log.nextInFlight(suspects, this.#cursor);
    if (this.#cursor !== NO_SEQUENCE) this.#earn(suspects, latencyMs, gapUs, nowUs);
    while (this.#cursor !== NO_SEQUENCE) {
      const sequence = this.#cursor;
      const length = ring.lengthOf(sequence);
      if (length === 0 || log.ageMs(sequence, nowUs) >= latencyMs) {
        counters.expired += 1;
        log.settle(sequence);
      } else if (length > this.#creditBytes || !this.#resend(sequence, length, nowUs)) {
        return;
      }
      this.#cursor = log.nextInFlight(suspects, nextSequence(sequence));
    }
  }

  /** Returns false where nobody can take it now. */
  #resend(sequence: number, length: number, nowUs: number): boolean {
    const { log, ring, counters, output } = this.#parts;
    const link = this.#parts.select(log.carriers(sequence), nowUs);
    if (link === undefined || link.suspect) return false;
    log.sent(sequence, link.index, nowUs, link.onSent(length, nowUs));
    counters.resent += 1;
    this.#creditBytes -= length;
    output.toReceiver(link, ring.offsetOf(sequence), length);
    return true;
  }

  #suspects(): number {
    let bits = 0;
    for (const { index, suspect } of this.#parts.links.live) if (suspect) bits |= 1 << index;
    return bits;
  }

  #earn(suspects: number, latencyMs: number, gapUs: number, nowUs: number): void {
    const { links, log } = this.#parts;
    let packets = log.orphans;
    let packetBytes = 0;
    let spareBps = 0;
    for (const { index, rate, meter } of links.live) {
      packetBytes = Math.max(packetBytes, meter.meanBytes);
      if (((suspects >> index) & 1) !== 0) packets += log.inFlight(index);
      else spareBps += Math.max(rate.bps - meter.bitrateBps, 0);
    }
    if (this.#outByUs < 0) {
      this.#outByUs = nowUs + (latencyMs - log.ageMs(this.#cursor, nowUs)) * 1000 * URGENT_PART;
    }
    const leftUs = Math.max(this.#outByUs - nowUs - gapUs, LEAST_LEFT_US);
    const bytesPerUs = Math.max(spareBps / 8e6, (packets * packetBytes) / leftUs);
    const sinceUs = Math.min(Math.max(nowUs - this.#ranUs, gapUs), SAVED_US);
    this.#ranUs = nowUs;
    const most = Math.max(this.#creditBytes, BURST_BYTES + bytesPerUs * SAVED_US);
    this.#creditBytes = Math.min(this.#creditBytes + bytesPerUs * sinceUs, most);
  }
}
