import {
  GROUP_ID_BYTES,
  SENDER_HALF_BYTES,
  SRTLA_TYPE_BYTES,
  SrtlaType,
  isWholeRegistration,
  writeRegistration,
} from '@mediaplane/srtla';
import type { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { LinkLostReason, SenderCounters, SenderParts } from './sender-parts.ts';

const REGISTRATION_TIMEOUT_US = 4e6;
/** Between tries of a link that is not live. */
const RETRY_US = 1e6;
/** Answers to probes may still be under way so long after the id has become known: they are not about that id. */
const LATE_ANSWERS_US = 1e6;

/** What becomes of links by it. */
export interface LinkFates {
  joined(link: SenderLink, nowUs: number): void;
  /** The link was live. */
  lost(link: SenderLink, reason: LinkLostReason, nowUs: number): void;
}

/** Gets a group from the receiver, and its links into it: REG1 and REG2 out, REG2, REG3 and refusals in. */
export class Registration {
  isRegistered = false;
  readonly #parts: SenderParts;
  readonly #links: LinkTable;
  readonly #counters: SenderCounters;
  readonly #fates: LinkFates;
  /** As far as it is known: the receiver's half is ours until REG2 has brought its own. */
  #id: Uint8Array;
  #registeredUs = -Infinity;
  /** REG1 is out by this link, and REG2 is awaited. */
  #asking: SenderLink | undefined;

  constructor(parts: SenderParts, links: LinkTable, counters: SenderCounters, fates: LinkFates) {
    this.#parts = parts;
    this.#links = links;
    this.#counters = counters;
    this.#fates = fates;
    this.#id = parts.newId();
  }

  /** Tries the links that are not live, each no more often than it makes sense. */
  onTick(nowUs: number): void {
    if (this.#asking !== undefined && nowUs - this.#asking.askedUs >= REGISTRATION_TIMEOUT_US) this.#asking = undefined;
    if (this.#asking !== undefined) return;
    for (const link of this.#links.all) if (link.state !== 'live' && link.isUsable) this.#join(link, nowUs);
  }

  /** The link has lost its path: nobody answers by it any more. */
  forget(link: SenderLink): void {
    if (link === this.#asking) this.#asking = undefined;
  }

  /** The receiver's answer to REG1. */
  onReg2(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { bytes } = this.#parts;
    const at = offset + SRTLA_TYPE_BYTES;
    if (!isWholeRegistration(length)) {
      this.#counters.malformed += 1;
      return;
    }
    if (link !== this.#asking || !this.#id.subarray(0, SENDER_HALF_BYTES).every((byte, i) => byte === bytes[at + i])) {
      this.#counters.unexpected += 1;
      return;
    }
    this.#id = bytes.slice(at, at + GROUP_ID_BYTES);
    this.isRegistered = true;
    this.#registeredUs = nowUs;
    this.#asking = undefined;
    this.#parts.events.registered();
    for (const each of this.#links.all) {
      if (!each.isUsable) continue;
      each.state = 'joining';
      this.#register(each, SrtlaType.reg2, nowUs);
    }
  }

  onReg3(link: SenderLink, nowUs: number): void {
    if (link.state === 'joining') this.#fates.joined(link, nowUs);
    else this.#counters.unexpected += 1;
  }

  /** No sign of life: a link that is only told off would else look alive. */
  onNoGroup(link: SenderLink, nowUs: number): void {
    if (this.#asking !== undefined) return;
    if (this.isRegistered) {
      if (link.state !== 'joining' || nowUs - this.#registeredUs < LATE_ANSWERS_US) return;
      if (this.#links.live.length > 0) {
        link.close();
        link.askedUs = nowUs;
        return;
      }
      this.#loseGroup(nowUs);
    }
    this.#asking = link;
    this.#register(link, SrtlaType.reg1, nowUs);
  }

  onRefused(link: SenderLink, forGood: boolean, nowUs: number): void {
    this.#counters.refusals += 1;
    if (link === this.#asking) this.#asking = undefined;
    if (link.state === 'live') {
      this.#fates.lost(link, 'refused', nowUs);
    } else {
      link.close();
      if (!link.refused) this.#parts.events.linkRefused(link, forGood);
      link.refused = true;
    }
    link.askedUs = nowUs;
  }

  /** REG2: with the id of our group it joins it; with one that nobody knows it asks whether there is a receiver. */
  #join(link: SenderLink, nowUs: number): void {
    const waitUs = link.state === 'joining' ? REGISTRATION_TIMEOUT_US : RETRY_US;
    if (nowUs - link.askedUs < waitUs) return;
    link.state = this.isRegistered ? 'joining' : 'closed';
    this.#register(link, SrtlaType.reg2, nowUs);
  }

  #register(link: SenderLink, type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2, nowUs: number): void {
    const { bytes, output, scratch } = this.#parts;
    link.askedUs = nowUs;
    const length = writeRegistration(bytes, scratch, type, this.#id);
    link.meter.bytes += length;
    output.control(link, scratch, length);
  }

  /** The receiver does not know our group any more, and no link works: a new one. */
  #loseGroup(nowUs: number): void {
    this.isRegistered = false;
    this.#id = this.#parts.newId();
    for (const each of this.#links.all) {
      if (each.state === 'live') this.#fates.lost(each, 'group-lost', nowUs);
      else each.close();
    }
  }
}
