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
import { GroupTokens } from '../tokens/group-tokens.ts';
import type { TokenKey } from '../tokens/group-tokens.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import type { ListenerInit, ListenerStatistics } from './listener-contract.ts';
import { readListener } from './listener-statistics.ts';
import type { SrtlaSession } from './program.ts';
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
        isIssued: (id) => tokens.open(id, unixMs()) !== null,
      },
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

  onDatagram(index: number, _role: number, nowUs: number): void {
    const { offset, length, source } = this.#thread.io.batch;
    this.#nowUs = nowUs;
    this.#from.setSource(source, index);
    this.#receiver.onLinkDatagram(offset[index], length[index], this.#from, nowUs);
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
    return readListener(this.#receiver, nowUs);
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
  }

  reply(to: AddressWords, offset: number, length: number): void {
    this.#port.send(SOCKET_ROLE, offset, length, to);
  }

  toLink(link: Link, offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, link.address);
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

  linkUp({ group, address, joinedLate }: Link): void {
    this.#port.emit({ type: 'link-up', group: group.serial, address: plainAddress(address), joinedLate });
  }

  linkDown({ group, address }: Link, reason: LinkDownReason): void {
    this.#port.emit({ type: 'link-down', group: group.serial, address: plainAddress(address), reason });
  }

  lateLinkRefused({ serial }: Group, address: AddressWords): void {
    this.#port.emit({ type: 'late-link-refused', group: serial, address: plainAddress(address) });
  }

  ingestRequest({ serial }: Group, { request }: IngestAttempt, conclusion: Conclusion): void {
    const { streamId, latencyMs, isEncrypted, address } = conclusion;
    this.#port.emit({ type: 'ingest-request', group: serial, request, streamId, latencyMs, isEncrypted, address });
  }

  ingestAccepted({ serial }: Group, stream: SrtStream, { streamId, isEncrypted }: Conclusion): void {
    const { callerSocketId, serverSocketId, latencyMs } = stream;
    this.#port.emit({
      type: 'ingest-accepted',
      group: serial,
      callerSocketId,
      serverSocketId,
      latencyMs,
      streamId,
      isEncrypted,
    });
  }

  ingestRefused({ serial }: Group, { streamId, address }: Conclusion, reason: number, by: RefusedBy): void {
    this.#port.emit({ type: 'ingest-refused', group: serial, reason, by, streamId, address });
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
