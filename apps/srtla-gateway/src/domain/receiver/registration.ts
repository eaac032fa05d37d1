import { SocketAddress } from '@mediaplane/net';
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
import type { RelayPeer } from '../relay/relay-gate.ts';
import { EndedIds } from './ended-ids.ts';
import type { Group, Link } from './group.ts';
import { SrtStream } from './ingest-state.ts';
import { LateLinks } from './late-links.ts';
import type { ReceiverCounters, ReceiverParts } from './receiver-parts.ts';
import { RegistrationLimiter } from './registration-rates.ts';
import { groupKey } from './registry.ts';
import type { Registry } from './registry.ts';

type FormerStream = Pick<SrtStream, 'callerSocketId' | 'serverSocketId' | 'latencyMs'>;

/** A group that was there before the process was started again, or was another instance's. */
export interface FormerGroup {
  readonly key: string;
  readonly links: readonly { readonly address: AddressWords; readonly joinedLate: boolean }[];
  /** The SRT session that stood. */
  readonly stream: FormerStream | null;
}

/**
 * Whoever holds an address that was silent this long has left it. Sooner, a datagram with a forged source address could pull a link
 * into another group; senders send a keepalive every second.
 */
const ADDRESS_FREE_US = 3e6;
/** Whoever was not heard for so long, and is heard by another instance, comes by that now; an idle link says something once a second. */
const WAY_FREE_US = 1.5e6;

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
  /** Of groups that began here and that another instance has. */
  readonly #released = new EndedIds();
  readonly #lateLinks = new LateLinks();

  constructor(parts: ReceiverParts, registry: Registry, counters: ReceiverCounters) {
    this.#parts = parts;
    this.#registry = registry;
    this.#counters = counters;
    this.#limiter = new RegistrationLimiter(parts.options.registrationRates, parts.seed);
  }

  /** Answered without a trace, as a SYN with a cookie: the id that goes out is all there is of the group until it comes back. */
  onReg1(offset: number, length: number, from: AddressWords, peer: RelayPeer | undefined, nowUs: number): void {
    if (!isWholeRegistration(length)) {
      this.#counters.malformed += 1;
      return;
    }
    if (this.draining) {
      // With REG_ERR, BELABOX's sender would think the link alive; when nothing comes it tries the receiver's next address.
      this.#counters.draining += 1;
      if (this.#parts.options.drainingReply === 'nak') this.#reply(from, peer, SrtlaType.regRefused);
      return;
    }
    if (!this.#limiter.admit(originOf(from, peer), nowUs)) {
      this.#counters.rateLimited += 1;
      return;
    }
    const { bytes, view, output, ids, memory } = this.#parts;
    const { reply } = memory;
    bytes.copyWithin(reply, offset, offset + SRTLA_TYPE_BYTES + SENDER_HALF_BYTES);
    view.setUint16(reply, SrtlaType.reg2);
    ids.issue(bytes.subarray(reply + SRTLA_TYPE_BYTES, reply + REGISTRATION_BYTES));
    output.reply(from, peer !== undefined, reply, REGISTRATION_BYTES);
  }

  /** `link`: that has this address. `peer`: whom the relay socket has it from. */
  onReg2(
    offset: number,
    length: number,
    from: AddressWords,
    link: Link | undefined,
    peer: RelayPeer | undefined,
    nowUs: number,
  ): void {
    if (!isWholeRegistration(length)) {
      this.#counters.malformed += 1;
      return;
    }
    const at = offset + SRTLA_TYPE_BYTES;
    const id = this.#parts.bytes.subarray(at, at + GROUP_ID_BYTES);
    const key = groupKey(id);
    const group = this.#registry.groups.get(key);
    if (group === undefined) {
      if (!this.#mayOpen(id, key, from, link, peer, nowUs)) return;
    } else if (link?.group === group) {
      // The REG3 was lost on its way.
      link.heardUs = nowUs;
      return this.#reply(from, peer, SrtlaType.reg3);
    }
    if (!this.#vacate(link, from, peer, nowUs)) return;
    const former = group?.linkFrom(originOf(from, peer));
    if (former !== undefined && !this.#follow(former, peer, nowUs)) return;
    if (!this.#hasRoom(group, nowUs)) {
      this.#counters.full += 1;
      return this.#reply(from, peer, SrtlaType.regError);
    }
    if (group !== undefined && this.#isTooLate(group, originOf(from, peer))) {
      return this.#reply(from, peer, SrtlaType.regError);
    }
    this.join(group ?? this.#registry.openGroup(key, false, nowUs), from, peer, nowUs, former?.joinedLate);
    this.#reply(from, peer, SrtlaType.reg3);
  }

  /**
   * A group that `foreignGroup` told of is ours from now on, with the link that came. `links`: those that it is known to have had.
   * Returns false when there is no room for it, or the link is another group's by now.
   */
  adopt(
    key: string,
    { stream, links }: Pick<FormerGroup, 'stream' | 'links'>,
    from: AddressWords,
    peer: RelayPeer | undefined,
    nowUs: number,
  ): boolean {
    let group = this.#registry.groups.get(key);
    const holder = peer === undefined ? this.#registry.link(from) : this.#registry.relayedLink(from);
    if (holder?.group.key !== key && !this.#vacate(holder, from, peer, nowUs)) return false;
    if (group === undefined) {
      if (this.#ended.has(key) || !this.#registry.makeRoom(nowUs)) return false;
      this.#released.delete(key);
      group = this.#registry.openGroup(key, stream !== null, nowUs);
      if (stream !== null) this.resumeStream(group, stream, nowUs);
      for (const { address } of links) this.#lateLinks.admit(group, address);
    }
    const origin = new SocketAddress().copyFrom(originOf(from, peer));
    const former = group.linkFrom(origin);
    const isHere = former !== undefined && former === holder;
    if (!isHere && former !== undefined && !this.#follow(former, peer, nowUs)) return true;
    if (!isHere) {
      if (!this.#hasRoom(group, nowUs) || this.#isTooLate(group, origin)) {
        this.#reply(from, peer, SrtlaType.regError);
        return true;
      }
      const known = links.find(({ address }) => origin.equals(address));
      this.join(group, from, peer, nowUs, former?.joinedLate ?? known?.joinedLate);
    }
    this.#reply(from, peer, SrtlaType.reg3);
    return true;
  }

  /** Nobody has the group that `foreignGroup` told of, or nobody who can be reached. */
  refuse(from: AddressWords, peer: RelayPeer | undefined): void {
    this.#counters.unknownGroups += 1;
    this.#reply(from, peer, SrtlaType.regNoGroup);
  }

  /** The SRT session of before goes on. */
  resumeStream(group: Group, { callerSocketId, serverSocketId, latencyMs }: FormerStream, nowUs: number): void {
    group.stream = new SrtStream(callerSocketId, serverSocketId, latencyMs, null, nowUs);
    this.#registry.markAccepted(group);
  }

  join(
    group: Group,
    from: AddressWords,
    peer: RelayPeer | undefined,
    nowUs: number,
    joinedLate = group.stream !== null,
    wasFound = false,
  ): Link {
    const link = this.#registry.openLink(group, from, peer, joinedLate, wasFound, nowUs);
    this.#lateLinks.admit(group, link.origin);
    return link;
  }

  /**
   * The link that the sender of a datagram has by another way, which it has left: a balancer sends its datagrams to another instance now,
   * or to ours again. It has not shown the id, so the other way must be silent, unless it is ours again, and the other way has shown none
   * either. Undefined when there is none.
   */
  moved(from: AddressWords, peer: RelayPeer | undefined, nowUs: number): Link | undefined {
    const former = this.#registry.linkFrom(originOf(from, peer));
    if (former === undefined) return undefined;
    if (!hasLeft(former, peer, nowUs) && !(peer === undefined && former.wasFound)) return undefined;
    const { group, joinedLate } = former;
    this.#registry.dropLink(former, 'moved', nowUs);
    return this.join(group, from, peer, nowUs, joinedLate, true);
  }

  /** Another instance has the group: links that come with its id are told of, though it began here. */
  releaseId(key: string): void {
    this.#released.add(key);
  }

  /** Whoever comes with that id is told that there is no such group. */
  endId(key: string): void {
    this.#ended.add(key);
  }

  /** Whether an id that belongs to no group opens one; answers when it does not. */
  #mayOpen(
    id: Uint8Array,
    key: string,
    from: AddressWords,
    link: Link | undefined,
    peer: RelayPeer | undefined,
    nowUs: number,
  ): boolean {
    const { ids, options, events } = this.#parts;
    if (!this.#limiter.admit(originOf(from, peer), nowUs)) {
      this.#counters.rateLimited += 1;
      return false;
    }
    const issuer = this.#ended.has(key) ? null : ids.issuer(id);
    const isElsewhere = issuer !== ids.instanceId || this.#released.has(key);
    if (issuer !== null && isElsewhere && options.foreignGroups === 'tell') {
      // Also while draining: the group is another's.
      if (this.#vacate(link, from, peer, nowUs)) events.foreignGroup(key, issuer, from, peer);
      return false;
    }
    if (this.draining) {
      this.#counters.draining += 1;
      return false;
    }
    if (issuer !== null) return true;
    this.refuse(from, peer);
    return false;
  }

  /**
   * Ends a link whose sender comes by another way with the same id. An instance that hands it on may say so by itself: then the other way
   * must be silent, or have shown no id, and nothing is said, for to the sender its link is as good as it was.
   */
  #follow(former: Link, peer: RelayPeer | undefined, nowUs: number): boolean {
    if (peer !== undefined && !former.wasFound && !hasLeft(former, peer, nowUs)) {
      this.#counters.strangers += 1;
      return false;
    }
    this.#registry.dropLink(former, 'moved', nowUs);
    return true;
  }

  /** Ends a link whose address comes with another group; answers when that is too soon. */
  #vacate(former: Link | undefined, from: AddressWords, peer: RelayPeer | undefined, nowUs: number): boolean {
    if (former === undefined) return true;
    if (nowUs - former.heardUs >= ADDRESS_FREE_US || isBySame(former, peer)) {
      this.#registry.dropLink(former, 'moved', nowUs);
      return true;
    }
    this.#counters.taken += 1;
    this.#reply(from, peer, SrtlaType.regError);
    return false;
  }

  #hasRoom(group: Group | undefined, nowUs: number): boolean {
    return group === undefined ? this.#registry.makeRoom(nowUs) : this.#registry.makeLinkRoom(group, nowUs);
  }

  #isTooLate(group: Group, origin: AddressWords): boolean {
    if (!this.#parts.options.refuseLateLinks || group.stream === null) return false;
    if (this.#lateLinks.wasAdmitted(group, origin)) return false;
    this.#counters.late += 1;
    if (this.#lateLinks.refuse(group, origin)) this.#parts.events.lateLinkRefused(group, origin);
    return true;
  }

  #reply(to: AddressWords, peer: RelayPeer | undefined, type: SrtlaType): void {
    const { bytes, output, options, memory } = this.#parts;
    output.reply(to, peer !== undefined, memory.reply, writeReply(bytes, memory.reply, type, options.padReplies));
  }
}

/** Where the sender of it sends from. */
function originOf(from: AddressWords, peer: RelayPeer | undefined): AddressWords {
  return peer === undefined ? from : peer.origin;
}

/** Whether a link's sender has left the way that it came by, for that by which `peer` hands it on, or for ours. */
function hasLeft(former: Link, peer: RelayPeer | undefined, nowUs: number): boolean {
  return nowUs - former.heardUs >= WAY_FREE_US || isBySame(former, peer);
}

/** What an instance says of a link that it hands on itself needs no waiting. */
function isBySame({ relayedBy }: Link, peer: RelayPeer | undefined): boolean {
  return peer !== undefined && relayedBy === peer.instanceId;
}
