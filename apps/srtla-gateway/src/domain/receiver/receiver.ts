import { AddressTable } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import {
  GROUP_ID_BYTES,
  LinkTelemetry,
  PADDED_REPLY_BYTES,
  REGISTRATION_BYTES,
  SENDER_HALF_BYTES,
  SRTLA_TYPE_BYTES,
  SrtKind,
  SrtlaType,
  dataSequence,
  isSrtla,
  isWholeRegistration,
  padReply,
  readTelemetry,
  srtKind,
  srtlaType,
  writeReply,
} from '@mediaplane/srtla';
import { Group, Link } from './group.ts';
import type { ReceiverOptions } from './options.ts';
import { Places } from './places.ts';
import { ReceiverCounters } from './receiver-parts.ts';
import type { GroupDownReason, GroupIds, LinkDownReason, ReceiverEvents, ReceiverOutput } from './receiver-parts.ts';
import type { ReplyMemory } from './reply-memory.ts';

export interface ReceiverParts {
  readonly options: ReceiverOptions;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of those bytes. */
  readonly memory: ReplyMemory;
  readonly ids: GroupIds;
  readonly output: ReceiverOutput;
  readonly events: ReceiverEvents;
  /** Any random number. */
  readonly seed: number;
}

/**
 * Whoever holds an address that was silent this long has left it. Sooner, a datagram with a forged source address could pull a link
 * into another group; senders send a keepalive every second.
 */
const ADDRESS_FREE_US = 3e6;
const REAP_INTERVAL_US = 1e6;
/** Links that get every acknowledgement of the server, so that one may be lost. */
const ACK_COPIES = 2;

/** The receiving end of SRTLA on one socket: registers groups and their links, and carries SRT between them and their servers. */
export class Receiver {
  readonly counters = new ReceiverCounters();
  readonly #parts: ReceiverParts;
  readonly #links: AddressTable;
  readonly #linkPlaces = new Places<Link>();
  readonly #groupPlaces = new Places<Group>();
  readonly #groups = new Map<string, Group>();
  #halfOpen = 0;
  #serial = 0;
  #reapedUs = -Infinity;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#links = new AddressTable(parts.seed);
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /** By its serial; undefined when it is over. */
  find(serial: number): Group | undefined {
    for (const group of this.#groups.values()) if (group.serial === serial) return group;
    return undefined;
  }

  /** A datagram that came to the listener's socket. */
  onLinkDatagram(offset: number, length: number, from: AddressWords, nowUs: number): void {
    const { view } = this.#parts;
    const link = this.#linkPlaces.get(this.#links.get(from));
    if (isSrtla(view, offset, length)) this.#onSrtla(offset, length, from, link, nowUs);
    else if (link === undefined) this.counters.strangers += 1;
    else this.#onSrt(offset, length, link, nowUs);
  }

  /** A datagram that came from a group's SRT server. It goes to its sender as it is: SRT datagrams are never lengthened. */
  onServerDatagram(group: Group, offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.counters.malformed += 1;
    } else if (kind === SrtKind.nak) {
      for (const link of group.links) output.toLink(link, offset, length);
    } else if (kind === SrtKind.ack) {
      this.#copyAck(group, offset, length, nowUs);
    } else {
      const { freshest } = group;
      if (freshest !== undefined) output.toLink(freshest, offset, length);
    }
  }

  /** Ends what has been silent for too long. Call it at `nextDueUs`, or whenever. */
  onDeadline(nowUs: number): void {
    if (nowUs < this.nextDueUs) return;
    this.#reapedUs = nowUs;
    const { linkTimeoutUs, groupTimeoutUs, halfOpenTimeoutUs } = this.#parts.options;
    for (const group of this.#groups.values()) {
      for (const link of [...group.links]) {
        if (nowUs - link.heardUs >= linkTimeoutUs) this.#dropLink(link, 'silent', nowUs);
      }
      if (!group.established && nowUs - group.upUs >= halfOpenTimeoutUs) this.close(group, 'no-stream', nowUs);
      else if (nowUs - group.emptySinceUs >= groupTimeoutUs) this.close(group, 'no-links', nowUs);
    }
  }

  get nextDueUs(): number {
    return this.#groups.size === 0 ? Infinity : this.#reapedUs + REAP_INTERVAL_US;
  }

  close(group: Group, reason: GroupDownReason, nowUs: number): void {
    if (!this.#groups.delete(group.key)) return;
    for (const link of [...group.links]) this.#dropLink(link, 'group-down', nowUs);
    if (!group.established) this.#halfOpen -= 1;
    this.#groupPlaces.free(group.index);
    this.#parts.events.groupDown(group, reason);
  }

  #onSrt(offset: number, length: number, link: Link, nowUs: number): void {
    const { view, output } = this.#parts;
    const { group } = link;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.counters.malformed += 1;
      return;
    }
    link.heardUs = nowUs;
    link.deliveredUs = nowUs;
    link.packets += 1;
    link.bytes += length;
    if (kind === SrtKind.data) {
      if (!group.established) {
        group.established = true;
        this.#halfOpen -= 1;
      }
      if (link.acks.add(dataSequence(view, offset))) this.#sendAck(link);
    }
    output.toServer(group, offset, length);
  }

  #sendAck(link: Link): void {
    const { view, output, memory } = this.#parts;
    const at = memory.nextAck();
    output.toLink(link, at, link.acks.write(view, at));
  }

  /** To the two links that brought SRT last, and now and then to the others, whose senders would else think them dead. */
  #copyAck(group: Group, offset: number, length: number, nowUs: number): void {
    const { output, options } = this.#parts;
    for (const link of group.links) {
      if (nowUs - link.ackCopiedUs < options.ackCopyIntervalUs && this.#fresher(group, link) >= ACK_COPIES) continue;
      link.ackCopiedUs = nowUs;
      output.toLink(link, offset, length);
    }
  }

  /** Links of the group that brought SRT later than this one; of two in the same pass, the one that is listed first. */
  #fresher(group: Group, link: Link): number {
    let count = 0;
    let before = true;
    for (const other of group.links) {
      if (other === link) before = false;
      else if (other.deliveredUs > link.deliveredUs || (before && other.deliveredUs === link.deliveredUs)) count += 1;
    }
    return count;
  }

  #onSrtla(offset: number, length: number, from: AddressWords, link: Link | undefined, nowUs: number): void {
    switch (srtlaType(this.#parts.view, offset)) {
      case SrtlaType.keepalive:
        return this.#onKeepalive(offset, length, link, nowUs);
      case SrtlaType.reg1:
        return this.#onReg1(offset, length, from);
      case SrtlaType.reg2:
        return this.#onReg2(offset, length, from, link, nowUs);
      default:
        this.counters.unexpected += 1;
    }
  }

  #onKeepalive(offset: number, length: number, link: Link | undefined, nowUs: number): void {
    if (link === undefined) {
      this.counters.strangers += 1;
      return;
    }
    const { bytes, view, output, options, memory } = this.#parts;
    link.heardUs = nowUs;
    const telemetry = link.telemetry ?? new LinkTelemetry();
    if (readTelemetry(view, offset, length, telemetry)) link.telemetry = telemetry;
    if (!options.padReplies || length >= PADDED_REPLY_BYTES) {
      output.reply(link.address, offset, length);
      return;
    }
    bytes.copyWithin(memory.reply, offset, offset + length);
    output.reply(link.address, memory.reply, padReply(bytes, memory.reply, length));
  }

  /** Answered without a trace, as a SYN with a cookie: the id that goes out is all there is of the group until it comes back. */
  #onReg1(offset: number, length: number, from: AddressWords): void {
    if (!isWholeRegistration(length)) {
      this.counters.malformed += 1;
      return;
    }
    const { bytes, view, output, ids, memory } = this.#parts;
    const { reply } = memory;
    const id = bytes.subarray(reply + SRTLA_TYPE_BYTES, reply + REGISTRATION_BYTES);
    bytes.copyWithin(reply, offset, offset + SRTLA_TYPE_BYTES + SENDER_HALF_BYTES);
    view.setUint16(reply, SrtlaType.reg2);
    ids.issue(id);
    output.reply(from, reply, REGISTRATION_BYTES);
  }

  #onReg2(offset: number, length: number, from: AddressWords, link: Link | undefined, nowUs: number): void {
    if (!isWholeRegistration(length)) {
      this.counters.malformed += 1;
      return;
    }
    const at = offset + SRTLA_TYPE_BYTES;
    const id = this.#parts.bytes.subarray(at, at + GROUP_ID_BYTES);
    const key = groupKey(id);
    let group = this.#groups.get(key);
    if (link !== undefined && link.group === group) {
      // The REG3 was lost on its way.
      link.heardUs = nowUs;
      return this.#reply(from, SrtlaType.reg3);
    }
    if (group === undefined && !this.#parts.ids.isIssued(id)) {
      this.counters.unknownGroups += 1;
      return this.#reply(from, SrtlaType.regNoGroup);
    }
    if (link !== undefined && nowUs - link.heardUs < ADDRESS_FREE_US) {
      this.counters.taken += 1;
      return this.#reply(from, SrtlaType.regError);
    }
    if (!this.#hasRoom(group)) {
      this.counters.full += 1;
      return this.#reply(from, SrtlaType.regError);
    }
    if (link !== undefined) this.#dropLink(link, 'moved', nowUs);
    group ??= this.#openGroup(key, nowUs);
    this.#openLink(group, from, nowUs);
    this.#reply(from, SrtlaType.reg3);
  }

  #hasRoom(group: Group | undefined): boolean {
    const { maxGroups, maxHalfOpenGroups, maxLinksPerGroup } = this.#parts.options;
    if (group !== undefined) return group.links.length < maxLinksPerGroup;
    return this.#groups.size < maxGroups && this.#halfOpen < maxHalfOpenGroups;
  }

  #openGroup(key: string, nowUs: number): Group {
    const group = this.#groupPlaces.take((index) => new Group(index, ++this.#serial, key, nowUs));
    this.#groups.set(key, group);
    this.#halfOpen += 1;
    // The first of all is the one to count from.
    if (this.#groups.size === 1) this.#reapedUs = nowUs;
    this.#parts.events.groupUp(group);
    return group;
  }

  #openLink(group: Group, from: AddressWords, nowUs: number): void {
    const link = this.#linkPlaces.take((index) => new Link(group, index, from, nowUs));
    group.links.push(link);
    group.emptySinceUs = Infinity;
    this.#links.set(link.address, link.index);
    this.#parts.events.linkUp(link);
  }

  #dropLink(link: Link, reason: LinkDownReason, nowUs: number): void {
    const { group } = link;
    this.#links.delete(link.address);
    this.#linkPlaces.free(link.index);
    group.links.splice(group.links.indexOf(link), 1);
    if (group.links.length === 0) group.emptySinceUs = nowUs;
    this.#parts.events.linkDown(link, reason);
  }

  #reply(to: AddressWords, type: SrtlaType): void {
    const { bytes, output, options, memory } = this.#parts;
    output.reply(to, memory.reply, writeReply(bytes, memory.reply, type, options.padReplies));
  }
}

/** An id as the key of a map, a character a byte. */
function groupKey(id: Uint8Array): string {
  return String.fromCharCode(...id);
}
