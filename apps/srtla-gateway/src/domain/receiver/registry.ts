import { AddressTable } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { Group, Link } from './group.ts';
import { Places } from './places.ts';
import type { RelayPeer } from '../relay/relay-gate.ts';
import type { GroupDownReason, LinkDownReason, ReceiverParts } from './receiver-parts.ts';

/** Every sender in the field asks a link for a sign of life once a second, and gives it up when there was none for 4 s. */
const SILENT_US = 4e6;

/** The groups of a receiver and their links: who there is, and who has been silent for too long. */
export class Registry {
  /** Senders without a stream are not waited for: they are to go elsewhere. */
  draining = false;
  readonly #parts: ReceiverParts;
  readonly #addresses: AddressTable;
  /** By the relay socket: what comes there is somebody else's, whatever its address. */
  readonly #relayed: AddressTable;
  /** Of those that come by the relay socket, by where their senders send from: the latest of each. */
  readonly #origins: AddressTable;
  readonly #links = new Places<Link>();
  readonly #places = new Places<Group>();
  readonly #groups = new Map<string, Group>();
  #halfOpen = 0;
  #serial = 0;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#addresses = new AddressTable(parts.seed);
    this.#relayed = new AddressTable(parts.seed);
    this.#origins = new AddressTable(parts.seed);
  }

  /** By `groupKey`. */
  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  get linkCount(): number {
    return this.#addresses.size + this.#relayed.size;
  }

  /** Groups in which no SRT session has stood yet. */
  get halfOpen(): number {
    return this.#halfOpen;
  }

  find(serial: number): Group | undefined {
    for (const group of this.#groups.values()) if (group.serial === serial) return group;
    return undefined;
  }

  link(from: AddressWords): Link | undefined {
    return this.#links.get(this.#addresses.get(from));
  }

  relayedLink(from: AddressWords): Link | undefined {
    return this.#links.get(this.#relayed.get(from));
  }

  /** The link whose sender sends from there, whichever way it comes. */
  linkFrom(origin: AddressWords): Link | undefined {
    return this.link(origin) ?? this.#links.get(this.#origins.get(origin));
  }

  openGroup(key: string, isResumed: boolean, nowUs: number): Group {
    const group = this.#places.take((index) => new Group(index, ++this.#serial, key, isResumed, nowUs));
    this.#groups.set(key, group);
    this.#halfOpen += 1;
    this.#parts.events.groupUp(group);
    return group;
  }

  /** An SRT session has come to stand in it. */
  markAccepted(group: Group): void {
    if (!group.wasAccepted) this.#halfOpen -= 1;
    group.wasAccepted = true;
    group.streamEndedUs = Infinity;
  }

  /** `peer`: that it comes by, where it is relayed. */
  openLink(
    group: Group,
    from: AddressWords,
    peer: RelayPeer | undefined,
    joinedLate: boolean,
    wasFound: boolean,
    nowUs: number,
  ): Link {
    const link = this.#links.take((index) => new Link(group, index, from, peer, joinedLate, wasFound, nowUs));
    group.links.push(link);
    group.emptySinceUs = Infinity;
    this.#tableOf(link).set(link.address, link.index);
    if (link.relayedBy !== null) this.#origins.set(link.origin, link.index);
    this.#parts.events.linkUp(link);
    return link;
  }

  dropLink(link: Link, reason: LinkDownReason, nowUs: number): void {
    const { group } = link;
    this.#tableOf(link).delete(link.address);
    if (link.relayedBy !== null && this.#origins.get(link.origin) === link.index) this.#origins.delete(link.origin);
    this.#links.free(link.index);
    group.links.splice(group.links.indexOf(link), 1);
    if (group.links.length === 0) group.emptySinceUs = nowUs;
    this.#parts.events.linkDown(link, reason);
  }

  close(group: Group, reason: GroupDownReason, nowUs: number): void {
    if (!this.#groups.delete(group.key)) return;
    for (const link of [...group.links]) this.dropLink(link, 'group-down', nowUs);
    if (!group.wasAccepted) this.#halfOpen -= 1;
    this.#places.free(group.index);
    this.#parts.events.groupDown(group, reason);
  }

  /** Ends links and groups whose time is over. */
  reap(nowUs: number): void {
    for (const group of this.#groups.values()) {
      for (const link of [...group.links]) {
        if (nowUs - link.heardUs >= this.#parts.options.linkTimeoutUs) this.dropLink(link, 'silent', nowUs);
      }
      if (nowUs - group.emptySinceUs >= this.#parts.options.groupTimeoutUs) this.close(group, 'no-links', nowUs);
      else if (this.draining && this.#isIdle(group, nowUs)) this.#closeIdle(group, nowUs);
    }
  }

  /**
   * For one more group. One without a stream that has had its time goes, the oldest first: senders register before their encoder runs and
   * stay when it stops, and one that were ended while there is room would come back at once, its links dead for some seconds. Returns
   * whether there is room.
   */
  makeRoom(nowUs: number): boolean {
    if (this.#hasRoom()) return true;
    const isFullOfHalfOpen = this.#halfOpen >= this.#parts.options.maxHalfOpenGroups;
    for (const group of this.#groups.values()) {
      if (!this.#isIdle(group, nowUs) || (isFullOfHalfOpen && group.wasAccepted)) continue;
      this.#closeIdle(group, nowUs);
      return this.#hasRoom();
    }
    return false;
  }

  /** Whether no session stands in it, and one has had its time to. */
  #isIdle(group: Group, nowUs: number): boolean {
    const { halfOpenTimeoutUs, groupTimeoutUs } = this.#parts.options;
    if (group.wasAccepted) return nowUs - group.streamEndedUs >= groupTimeoutUs;
    return nowUs - group.upUs >= halfOpenTimeoutUs;
  }

  #closeIdle(group: Group, nowUs: number): void {
    this.close(group, group.wasAccepted ? 'stream-ended' : 'no-stream', nowUs);
  }

  /**
   * For one more link. Where there are as many as may be, the one that has been silent longest goes, if it has been so for longer than a
   * sender lets a link be: SRTLA has no word for a link that is gone. Returns whether there is room.
   */
  makeLinkRoom(group: Group, nowUs: number): boolean {
    if (group.links.length < this.#parts.options.maxLinksPerGroup) return true;
    const oldest = group.links.reduce((one, other) => (other.heardUs < one.heardUs ? other : one));
    if (nowUs - oldest.heardUs < SILENT_US) return false;
    this.dropLink(oldest, 'silent', nowUs);
    return true;
  }

  #tableOf({ relayedBy }: Link): AddressTable {
    return relayedBy === null ? this.#addresses : this.#relayed;
  }

  #hasRoom(): boolean {
    const { maxGroups, maxHalfOpenGroups } = this.#parts.options;
    return this.#groups.size < maxGroups && this.#halfOpen < maxHalfOpenGroups;
  }
}

/** An id as the key of a map, a character a byte. */
export function groupKey(id: Uint8Array): string {
  return String.fromCharCode(...id);
}

/** The same as hexadecimal digits, which crosses threads and is kept in records. */
export function keyToHex(key: string): string {
  return Array.from(key, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

/** @throws RangeError for what is no id */
export function hexToKey(hex: string): string {
  if (!/^(?:[0-9a-f]{2}){256}$/.test(hex)) throw new RangeError('a group id is 512 hexadecimal digits');
  return groupKey(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
}
