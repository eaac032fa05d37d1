import type { AddressWords } from '@mediaplane/net';
import {
  GROUP_ID_BYTES,
  REGISTRATION_BYTES,
  SENDER_HALF_BYTES,
  SRTLA_TYPE_BYTES,
  SrtlaType,
  isWholeRegistration,
  writeReply,
} from '@mediaplane/srtla';
import { EndedIds } from './ended-ids.ts';
import type { Group, Link } from './group.ts';
import { LateLinks } from './late-links.ts';
import type { ReceiverCounters, ReceiverParts } from './receiver-parts.ts';
import { RegistrationLimiter } from './registration-rates.ts';
import { groupKey } from './registry.ts';
import type { Registry } from './registry.ts';

/**
 * Whoever holds an address that was silent this long has left it. Sooner, a datagram with a forged source address could pull a link
 * into another group; senders send a keepalive every second.
 */
const ADDRESS_FREE_US = 3e6;

/**
 * Answers REG1 and REG2. One reply to a datagram at the most, and to an address that is no link's never a longer one: 258 bytes to REG1,
 * 32 to REG2, which both have 258.
 */
export class Registration {
  draining = false;
  readonly #parts: ReceiverParts;
  readonly #registry: Registry;
  readonly #counters: ReceiverCounters;
  readonly #limiter: RegistrationLimiter;
  readonly #ended = new EndedIds();
  readonly #lateLinks = new LateLinks();

  constructor(parts: ReceiverParts, registry: Registry, counters: ReceiverCounters) {
    this.#parts = parts;
    this.#registry = registry;
    this.#counters = counters;
    this.#limiter = new RegistrationLimiter(parts.options.registrationRates, parts.seed);
  }

  /** Answered without a trace, as a SYN with a cookie: the id that goes out is all there is of the group until it comes back. */
  onReg1(offset: number, length: number, from: AddressWords, nowUs: number): void {
    if (!isWholeRegistration(length)) {
      this.#counters.malformed += 1;
      return;
    }
    if (this.draining) {
      // With REG_ERR, BELABOX's sender would think the link alive; when nothing comes it tries the receiver's next address.
      this.#counters.draining += 1;
      if (this.#parts.options.drainingReply === 'nak') this.#reply(from, SrtlaType.regRefused);
      return;
    }
    if (!this.#limiter.admit(from, nowUs)) {
      this.#counters.rateLimited += 1;
      return;
    }
    const { bytes, view, output, ids, memory } = this.#parts;
    const { reply } = memory;
    bytes.copyWithin(reply, offset, offset + SRTLA_TYPE_BYTES + SENDER_HALF_BYTES);
    view.setUint16(reply, SrtlaType.reg2);
    ids.issue(bytes.subarray(reply + SRTLA_TYPE_BYTES, reply + REGISTRATION_BYTES));
    output.reply(from, reply, REGISTRATION_BYTES);
  }

  /** `link`: that has this address. */
  onReg2(offset: number, length: number, from: AddressWords, link: Link | undefined, nowUs: number): void {
    if (!isWholeRegistration(length)) {
      this.#counters.malformed += 1;
      return;
    }
    const at = offset + SRTLA_TYPE_BYTES;
    const id = this.#parts.bytes.subarray(at, at + GROUP_ID_BYTES);
    const key = groupKey(id);
    const group = this.#registry.groups.get(key);
    if (group === undefined) {
      if (!this.#mayOpen(id, key, from, nowUs)) return;
    } else if (link?.group === group) {
      // The REG3 was lost on its way.
      link.heardUs = nowUs;
      return this.#reply(from, SrtlaType.reg3);
    }
    if (link !== undefined && nowUs - link.heardUs < ADDRESS_FREE_US) {
      this.#counters.taken += 1;
      return this.#reply(from, SrtlaType.regError);
    }
    if (!this.#hasRoom(group, nowUs)) {
      this.#counters.full += 1;
      return this.#reply(from, SrtlaType.regError);
    }
    if (group !== undefined && this.#isTooLate(group, from)) return this.#reply(from, SrtlaType.regError);
    if (link !== undefined) this.#registry.dropLink(link, 'moved', nowUs);
    this.join(group ?? this.#registry.openGroup(key, false, nowUs), from, nowUs);
    this.#reply(from, SrtlaType.reg3);
  }

  join(group: Group, from: AddressWords, nowUs: number, joinedLate = group.stream !== null): void {
    this.#registry.openLink(group, from, joinedLate, nowUs);
    this.#lateLinks.admit(group, from);
  }

  /** Whoever comes with that id is told that there is no such group. */
  endId(key: string): void {
    this.#ended.add(key);
  }

  /** Whether an id that belongs to no group opens one; answers when it does not. */
  #mayOpen(id: Uint8Array, key: string, from: AddressWords, nowUs: number): boolean {
    if (this.draining) {
      this.#counters.draining += 1;
      return false;
    }
    if (!this.#limiter.admit(from, nowUs)) {
      this.#counters.rateLimited += 1;
      return false;
    }
    if (!this.#ended.has(key) && this.#parts.ids.isIssued(id)) return true;
    this.#counters.unknownGroups += 1;
    this.#reply(from, SrtlaType.regNoGroup);
    return false;
  }

  #hasRoom(group: Group | undefined, nowUs: number): boolean {
    if (group === undefined) return this.#registry.makeRoom(nowUs);
    return group.links.length < this.#parts.options.maxLinksPerGroup;
  }

  #isTooLate(group: Group, from: AddressWords): boolean {
    if (!this.#parts.options.refuseLateLinks || group.stream === null) return false;
    if (this.#lateLinks.wasAdmitted(group, from)) return false;
    this.#counters.late += 1;
    if (this.#lateLinks.refuse(group, from)) this.#parts.events.lateLinkRefused(group, from);
    return true;
  }

  #reply(to: AddressWords, type: SrtlaType): void {
    const { bytes, output, options, memory } = this.#parts;
    output.reply(to, memory.reply, writeReply(bytes, memory.reply, type, options.padReplies));
  }
}
