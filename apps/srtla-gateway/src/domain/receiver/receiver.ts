import type { AddressWords } from '@mediaplane/net';
import {
  LinkTelemetry,
  PADDED_REPLY_BYTES,
  SrtlaType,
  isSrtla,
  padReply,
  readTelemetry,
  srtlaType,
} from '@mediaplane/srtla';
import { RelayGate } from '../relay/relay-gate.ts';
import type { RelayPeer } from '../relay/relay-gate.ts';
import type { RelayedLink } from '../relay/relayed-link.ts';
import type { RelayCounters } from '../relay/relay-parts.ts';
import { RelayedLinks } from '../relay/relayed-links.ts';
import { Forwarding } from './forwarding.ts';
import type { Group, Link } from './group.ts';
import { DecidingIngest } from './ingest-decide.ts';
import { PassingIngest } from './ingest-pass.ts';
import type { Ingest } from './ingest.ts';
import { ReceiverCounters } from './receiver-parts.ts';
import type { ReceiverParts } from './receiver-parts.ts';
import { Registration } from './registration.ts';
import type { FormerGroup } from './registration.ts';
import { Registry } from './registry.ts';
import { Strangers } from './strangers.ts';

const REAP_INTERVAL_US = 1e6;

/**
 * The receiving end of SRTLA on one socket. Says which datagram is whose affair: registration makes groups and links, ingest lets SRT
 * sessions in, forwarding carries them, and the registry knows who there is and ends what is silent.
 */
export class Receiver {
  readonly counters = new ReceiverCounters();
  readonly #parts: ReceiverParts;
  readonly #registry: Registry;
  readonly #registration: Registration;
  readonly #ingest: Ingest;
  readonly #forwarding: Forwarding;
  readonly #relays: RelayedLinks;
  readonly #gate: RelayGate | undefined;
  readonly #strangers: Strangers;
  #reapDueUs = Infinity;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#registry = new Registry(parts);
    this.#registration = new Registration(parts, this.#registry, this.counters);
    const Machine = parts.options.ingest === 'pass' ? PassingIngest : DecidingIngest;
    this.#ingest = new Machine(parts, this.#registry, this.counters);
    this.#forwarding = new Forwarding(parts, this.#ingest, this.counters);
    this.#relays = new RelayedLinks(parts.seed);
    this.#strangers = new Strangers(parts.seed);
    const { relay, bytes, view, seed } = parts;
    if (relay === null) return;
    const onPeerOver = ({ address }: RelayPeer, nowUs: number): void => {
      const link = this.#registry.relayedLink(address);
      if (link !== undefined) this.#registry.dropLink(link, 'moved', nowUs);
    };
    this.#gate = new RelayGate({ ...relay, bytes, view, seed, onPeerOver });
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#registry.groups;
  }

  get linkCount(): number {
    return this.#registry.linkCount;
  }

  /** Links that other instances hand on, and have lately. */
  get relayPeers(): number {
    return this.#gate?.size ?? 0;
  }

  get relayCounters(): Readonly<RelayCounters> | null {
    return this.#gate?.counters ?? null;
  }

  /** Groups in which no SRT session has stood yet. */
  get halfOpen(): number {
    return this.#registry.halfOpen;
  }

  set draining(draining: boolean) {
    this.#registration.draining = draining;
    this.#registry.draining = draining;
  }

  /** By its serial; undefined when it is over. */
  find(serial: number): Group | undefined {
    return this.#registry.find(serial);
  }

  /** Takes up groups of before, and what is addressed to their sessions passes at once. An address belongs to the first that names it. */
  resume(groups: readonly FormerGroup[], nowUs: number): void {
    for (const { key, links, stream } of groups) {
      if (this.groups.has(key)) continue;
      const group = this.#registry.openGroup(key, true, nowUs);
      if (stream !== null) this.#registration.resumeStream(group, stream, nowUs);
      for (const { address, joinedLate } of links) {
        if (this.#registry.link(address) !== undefined) continue;
        this.#registration.join(group, address, undefined, nowUs, joinedLate);
      }
    }
    this.#armReaper(nowUs);
  }

  /** Whoever comes with that id is told that there is no such group. */
  endId(key: string): void {
    this.#registration.endId(key);
  }

  /** A datagram that came to the listener's socket. */
  onLinkDatagram(offset: number, length: number, from: AddressWords, nowUs: number): void {
    if (from.port === 0) return this.#fromNowhere();
    const link = this.#registry.link(from);
    if (link === undefined) {
      const relayed = this.#relays.get(from);
      if (relayed !== undefined) return relayed.onSenderDatagram(offset, length, nowUs);
    }
    this.#onDatagram(offset, length, from, link, undefined, nowUs);
  }

  /** A datagram that came to the relay socket. It never goes to a third instance. */
  onRelayDatagram(offset: number, length: number, from: AddressWords, nowUs: number): void {
    if (from.port === 0) return this.#fromNowhere();
    const peer = this.#gate?.admit(offset, length, from, nowUs);
    if (peer !== undefined) this.#onDatagram(offset, length, from, this.#registry.relayedLink(from), peer, nowUs);
    this.#armReaper(nowUs);
  }

  /** From now on the address's datagrams are handed on. Returns false when it is a link of a group here, or is handed on already. */
  addRelay(relayed: RelayedLink): boolean {
    return this.#registry.link(relayed.origin) === undefined && this.#relays.add(relayed);
  }

  removeRelay(relayed: RelayedLink): void {
    this.#relays.remove(relayed);
  }

  /** A group that `foreignGroup` told of is ours from now on. Returns false when it cannot be. */
  adopt(former: FormerGroup, from: AddressWords, isRelayed: boolean, nowUs: number): boolean {
    const peer = isRelayed ? this.#gate?.find(from) : undefined;
    if (isRelayed && peer === undefined) return false;
    const adopted = this.#registration.adopt(former.key, former, from, peer, nowUs);
    this.#armReaper(nowUs);
    return adopted;
  }

  /** Nobody has the group that `foreignGroup` told of: its sender is told to begin anew. */
  refuseForeign(from: AddressWords, isRelayed: boolean): void {
    const peer = isRelayed ? this.#gate?.find(from) : undefined;
    if (!isRelayed || peer !== undefined) this.#registration.refuse(from, peer);
  }

  /** Another instance has the group. */
  release(group: Group, nowUs: number): void {
    this.#ingest.end(group, 'gateway', nowUs);
    this.#registration.releaseId(group.key);
    this.#registry.close(group, 'released', nowUs);
  }

  /** A datagram that came from a group's SRT server. */
  onServerDatagram(group: Group, offset: number, length: number, nowUs: number): void {
    this.#forwarding.onServerSrt(group, offset, length, nowUs);
  }

  /** Answers an ingest request: null accepts, else a RejectionReason. Returns whether it still stood. */
  verdict(group: Group, request: number, reason: number | null, nowUs: number): boolean {
    return this.#ingest.verdict(group, request, reason, nowUs);
  }

  /** The group's SRT goes there from now on: a session that stands with another server is over. Call it before the first packet goes. */
  setServer(group: Group, server: AddressWords, nowUs: number): void {
    const before = group.server;
    if (before !== null && !isSame(before, server)) this.#ingest.end(group, 'gateway', nowUs);
    group.server = server;
  }

  /** Ends the SRT session at both ends. Returns whether one stood. */
  endStream(group: Group, nowUs: number): boolean {
    return this.#ingest.end(group, 'gateway', nowUs);
  }

  /** Ends the group, its SRT session and its id. */
  kick(group: Group, nowUs: number): void {
    this.#ingest.end(group, 'gateway', nowUs);
    this.endId(group.key);
    this.#registry.close(group, 'kicked', nowUs);
  }

  /** When there is something to end; earlier when a datagram or a command has begun something. */
  get nextDueUs(): number {
    return Math.min(this.#reapDueUs, this.#ingest.nextDueUs);
  }

  /** Ends what has been waited for in vain. Call it at `nextDueUs`, or whenever. */
  onDeadline(nowUs: number): void {
    if (nowUs >= this.#ingest.nextDueUs) this.#ingest.onDeadline(nowUs);
    if (nowUs < this.#reapDueUs) return;
    this.#ingest.reap(nowUs);
    this.#registry.reap(nowUs);
    this.#gate?.reap(nowUs);
    this.#reapDueUs = Infinity;
    this.#armReaper(nowUs);
  }

  #armReaper(nowUs: number): void {
    const isNeeded = this.groups.size > 0 || (this.#gate?.size ?? 0) > 0;
    if (this.#reapDueUs === Infinity && isNeeded) this.#reapDueUs = nowUs + REAP_INTERVAL_US;
  }

  #onDatagram(
    offset: number,
    length: number,
    from: AddressWords,
    link: Link | undefined,
    peer: RelayPeer | undefined,
    nowUs: number,
  ): void {
    if (isSrtla(this.#parts.view, offset, length)) return this.#onSrtla(offset, length, from, link, peer, nowUs);
    const sender = link ?? this.#moved(from, peer, nowUs);
    if (sender !== undefined) this.#forwarding.onLinkSrt(offset, length, sender, nowUs);
  }

  #onSrtla(
    offset: number,
    length: number,
    from: AddressWords,
    link: Link | undefined,
    peer: RelayPeer | undefined,
    nowUs: number,
  ): void {
    switch (srtlaType(this.#parts.view, offset)) {
      case SrtlaType.keepalive:
        return this.#onKeepalive(offset, length, link ?? this.#moved(from, peer, nowUs), nowUs);
      case SrtlaType.reg1:
        return this.#registration.onReg1(offset, length, from, peer, nowUs);
      case SrtlaType.reg2:
        this.#registration.onReg2(offset, length, from, link, peer, nowUs);
        return this.#armReaper(nowUs);
      default:
        this.counters.unexpected += 1;
    }
  }

  /** Nobody sends from port 0, and nothing could be answered there. */
  #fromNowhere(): void {
    this.counters.malformed += 1;
  }

  /** The link of a sender that comes from an address of none here; undefined, and counted, when there is none. */
  #moved(from: AddressWords, peer: RelayPeer | undefined, nowUs: number): Link | undefined {
    const link = this.#registration.moved(from, peer, nowUs);
    if (link !== undefined) return link;
    this.counters.strangers += 1;
    // What comes by the relay socket has been looked for by the instance that hands it on.
    const { relay, events } = this.#parts;
    if (relay !== null && peer === undefined && this.#strangers.isNews(from, nowUs)) events.stranger(from);
    return undefined;
  }

  #onKeepalive(offset: number, length: number, link: Link | undefined, nowUs: number): void {
    if (link === undefined) return;
    const { bytes, view, output, options, memory } = this.#parts;
    link.heardUs = nowUs;
    const telemetry = link.telemetry ?? new LinkTelemetry();
    if (readTelemetry(view, offset, length, telemetry)) link.telemetry = telemetry;
    if (!options.padReplies || length >= PADDED_REPLY_BYTES) {
      output.toLinkNow(link, offset, length);
      return;
    }
    bytes.copyWithin(memory.reply, offset, offset + length);
    output.toLinkNow(link, memory.reply, padReply(bytes, memory.reply, length));
  }
}

function isSame(a: AddressWords, b: AddressWords): boolean {
  return a.port === b.port && a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}
