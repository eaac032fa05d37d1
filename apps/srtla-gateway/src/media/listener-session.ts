import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { SocketAddress, plainAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { Group, Link } from '../domain/receiver/group.ts';
import type { Conclusion, IngestAttempt, IngestEnd, RefusedBy, SrtStream } from '../domain/receiver/ingest-state.ts';
import type {
  GroupDownReason,
  LinkDownReason,
  ReceiverEvents,
  ReceiverOutput,
} from '../domain/receiver/receiver-parts.ts';
import { Receiver } from '../domain/receiver/receiver.ts';
import { hexToKey, keyToHex } from '../domain/receiver/registry.ts';
import type { ReplyMemory } from '../domain/receiver/reply-memory.ts';
import type { RelayPeer } from '../domain/relay/relay-gate.ts';
import { RelayTraffic } from '../domain/relay/relay-parts.ts';
import type { RelayedLink } from '../domain/relay/relayed-link.ts';
import { GroupTokens } from '../tokens/group-tokens.ts';
import type { TokenKey } from '../tokens/group-tokens.ts';
import { SealedHellos } from '../tokens/relay-seals.ts';
import { RELAY_ROLE, SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import type { ListenerCommands, ListenerInit, ListenerStatistics } from './listener-contract.ts';
import { readListener } from './listener-statistics.ts';
import type { SrtlaSession } from './program.ts';
import type { RelaySession } from './relay-session.ts';
import type { UpstreamSession } from './upstream-session.ts';

/** One listening socket: what comes in goes to the receiver, what that answers leaves by the same socket. */
export class ListenerSession implements MediaSession<SrtlaContract>, ReceiverOutput, ReceiverEvents {
  readonly #receiver: Receiver;
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #tokens: GroupTokens;
  readonly #from = new SocketAddress();
  /** Of the datagram at hand. */
  #nowUs: number;
  #armedUs = Infinity;
  /** By group: where its SRT goes; a group has none until the control side has opened it. */
  readonly #upstreams: (UpstreamSession | undefined)[] = [];
  readonly #relays = new Set<RelaySession>();
  readonly relayTraffic = new RelayTraffic();

  constructor(
    thread: MediaThread,
    memory: ReplyMemory,
    port: SessionPort<SrtlaSession, SrtlaContract>,
    init: ListenerInit,
    nowUs: number,
  ) {
    const { io } = thread;
    const tokens = new GroupTokens(init.tokens);
    this.#thread = thread;
    this.#port = port;
    this.#tokens = tokens;
    this.#nowUs = nowUs;
    const unixMs = (): number => (this.#nowUs + thread.unixOffsetUs) / 1000;
    this.#receiver = new Receiver({
      options: init.options,
      bytes: io.bytes,
      view: io.view,
      memory,
      ids: {
        issue: (id) => tokens.issue(id, unixMs()),
        issuer: (id) => tokens.open(id, unixMs())?.instanceId ?? null,
        instanceId: init.tokens.instanceId,
      },
      relay:
        init.relay === null ? null : { options: init.relay.options, seals: new SealedHellos(init.relay.keys, unixMs) },
      output: this,
      events: this,
      seed: init.seed,
    });
    for (const id of init.endedIds) this.#receiver.endId(hexToKey(id));
    this.#receiver.resume(
      init.resume.map(({ id, links, stream }) => ({ key: hexToKey(id), links, stream })),
      nowUs,
    );
    this.#arm();
  }

  onDatagram(index: number, role: number, nowUs: number): void {
    const { offset, length, source } = this.#thread.io.batch;
    this.#nowUs = nowUs;
    this.#from.setSource(source, index);
    if (role === SOCKET_ROLE) this.#receiver.onLinkDatagram(offset[index], length[index], this.#from, nowUs);
    else this.#receiver.onRelayDatagram(offset[index], length[index], this.#from, nowUs);
    this.#arm();
  }

  /** A datagram of a group's SRT server. */
  onServerDatagram(group: Group, index: number, nowUs: number): void {
    const { offset, length } = this.#thread.io.batch;
    this.#receiver.onServerDatagram(group, offset[index], length[index], nowUs);
  }

  onFrame(): void {}

  onDeadline(nowUs: number): void {
    this.#nowUs = nowUs;
    this.#armedUs = Infinity;
    this.#receiver.onDeadline(nowUs);
    this.#arm();
  }

  /** The control side has opened the socket of a group. Returns the group; undefined when it is over. */
  connect(serial: number, upstream: UpstreamSession, server: AddressWords, nowUs: number): Group | undefined {
    const group = this.#receiver.find(serial);
    if (group === undefined) return undefined;
    this.#receiver.setServer(group, server, nowUs);
    this.#upstreams[group.index]?.forgetListener();
    this.#upstreams[group.index] = upstream;
    return group;
  }

  disconnect(group: Group, upstream: UpstreamSession): void {
    if (this.#upstreams[group.index] === upstream) this.#upstreams[group.index] = undefined;
  }

  statistics(nowUs: number): ListenerStatistics {
    return readListener(this.#receiver, this.relayTraffic, nowUs);
  }

  verdict(serial: number, request: number, reason: number | null, nowUs: number): boolean {
    const group = this.#receiver.find(serial);
    return group !== undefined && this.#receiver.verdict(group, request, reason, nowUs);
  }

  kick(serial: number, nowUs: number): boolean {
    const group = this.#receiver.find(serial);
    if (group !== undefined) this.#receiver.kick(group, nowUs);
    return group !== undefined;
  }

  endStream(serial: number, nowUs: number): boolean {
    const group = this.#receiver.find(serial);
    return group !== undefined && this.#receiver.endStream(group, nowUs);
  }

  adopt({ id, links, stream, address, isRelayed }: ListenerCommands['adoptGroup']['args'], nowUs: number): boolean {
    this.#nowUs = nowUs;
    const adopted = this.#receiver.adopt({ key: hexToKey(id), links, stream }, address, isRelayed, nowUs);
    this.#arm();
    return adopted;
  }

  refuseForeign(address: AddressWords, isRelayed: boolean): null {
    this.#receiver.refuseForeign(address, isRelayed);
    return null;
  }

  release(serial: number, nowUs: number): boolean {
    const group = this.#receiver.find(serial);
    if (group !== undefined) this.#receiver.release(group, nowUs);
    return group !== undefined;
  }

  /** A link whose group another instance owns. Returns false when its address is a link here, or is handed on already. */
  addRelay(session: RelaySession, relayed: RelayedLink): boolean {
    if (!this.#receiver.addRelay(relayed)) return false;
    this.#relays.add(session);
    return true;
  }

  removeRelay(session: RelaySession, relayed: RelayedLink): void {
    this.#receiver.removeRelay(relayed);
    this.#relays.delete(session);
  }

  /** What the owner of its group says to a relayed link. */
  toSender(to: AddressWords, offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, to);
  }

  setDraining(draining: boolean): null {
    this.#receiver.draining = draining;
    return null;
  }

  /** @throws RangeError for a key that is none; the keys of before stay */
  setTokenKeys(current: TokenKey, previous: TokenKey | null): null {
    this.#tokens.setKeys(current, previous);
    return null;
  }

  snapshot(): never {
    throw new Error('a listener does not move');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    for (const upstream of this.#upstreams) upstream?.forgetListener();
    this.#upstreams.length = 0;
    for (const relay of this.#relays) relay.forgetListener();
    this.#relays.clear();
  }

  reply(to: AddressWords, isRelayed: boolean, offset: number, length: number): void {
    this.#port.send(isRelayed ? RELAY_ROLE : SOCKET_ROLE, offset, length, to);
  }

  toLinkNow({ address, relayedBy }: Link, offset: number, length: number): void {
    this.#port.send(relayedBy === null ? SOCKET_ROLE : RELAY_ROLE, offset, length, address);
  }

  toLink({ address, relayedBy }: Link, offset: number, length: number): void {
    this.#port.queue(relayedBy === null ? SOCKET_ROLE : RELAY_ROLE, offset, length, address);
  }

  toServer(group: Group, offset: number, length: number): void {
    this.#upstreams[group.index]?.send(offset, length);
  }

  toServerNow(group: Group, offset: number, length: number): void {
    this.#upstreams[group.index]?.sendNow(offset, length);
  }

  groupUp({ serial, key, isResumed }: Group): void {
    this.#port.emit({ type: 'group-up', group: serial, id: keyToHex(key), resumed: isResumed });
  }

  groupDown(group: Group, reason: GroupDownReason): void {
    this.#upstreams[group.index]?.forgetListener();
    this.#upstreams[group.index] = undefined;
    this.#port.emit({ type: 'group-down', group: group.serial, reason });
  }

  linkUp({ group, origin, relayedBy, joinedLate }: Link): void {
    const address = plainAddress(origin);
    this.#port.emit({ type: 'link-up', group: group.serial, address, relayedBy, joinedLate });
  }

  linkDown({ group, origin, relayedBy }: Link, reason: LinkDownReason): void {
    const address = plainAddress(origin);
    this.#port.emit({ type: 'link-down', group: group.serial, address, relayedBy, reason });
  }

  foreignGroup(key: string, issuer: string, from: AddressWords, peer: RelayPeer | undefined): void {
    const address = plainAddress(from);
    this.#port.emit({ type: 'foreign-group', id: keyToHex(key), issuer, address, isRelayed: peer !== undefined });
  }

  stranger(from: AddressWords): void {
    this.#port.emit({ type: 'stranger', address: plainAddress(from) });
  }

  lateLinkRefused({ serial }: Group, address: AddressWords): void {
    this.#port.emit({ type: 'late-link-refused', group: serial, address: plainAddress(address) });
  }

  ingestRequest({ serial }: Group, { request }: IngestAttempt, conclusion: Conclusion): void {
    const { streamId, latencyMs, isEncrypted, address } = conclusion;
    this.#port.emit({ type: 'ingest-request', group: serial, request, streamId, latencyMs, isEncrypted, address });
  }

  ingestAccepted({ serial }: Group, stream: SrtStream, { streamId, isEncrypted }: Conclusion, setupUs: number): void {
    const { callerSocketId, serverSocketId, latencyMs } = stream;
    this.#port.emit({
      type: 'ingest-accepted',
      group: serial,
      callerSocketId,
      serverSocketId,
      latencyMs,
      streamId,
      isEncrypted,
      setupMs: setupUs / 1000,
    });
  }

  ingestRefused({ serial }: Group, { streamId, address }: Conclusion, reason: number, by: RefusedBy): void {
    this.#port.emit({ type: 'ingest-refused', group: serial, reason, by, streamId, address });
  }

  ingestUnanswered({ serial }: Group): void {
    this.#port.emit({ type: 'ingest-unanswered', group: serial });
  }

  ingestEnded({ serial }: Group, by: IngestEnd): void {
    this.#port.emit({ type: 'ingest-ended', group: serial, by });
  }

  #arm(): void {
    const { nextDueUs } = this.#receiver;
    if (nextDueUs >= this.#armedUs) return;
    this.#armedUs = nextDueUs;
    this.#port.setDeadline(nextDueUs);
  }
}
