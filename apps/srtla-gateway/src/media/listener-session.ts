import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { SocketAddress, plainAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { Group, Link } from '../domain/receiver/group.ts';
import { Receiver } from '../domain/receiver/receiver.ts';
import type {
  GroupDownReason,
  LinkDownReason,
  ReceiverEvents,
  ReceiverOutput,
} from '../domain/receiver/receiver-parts.ts';
import type { ReplyMemory } from '../domain/receiver/reply-memory.ts';
import { GroupTokens } from '../tokens/group-tokens.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { ListenerInit, SrtlaContract } from './contract.ts';
import type { SrtlaSession } from './program.ts';
import type { UpstreamSession } from './upstream-session.ts';

/** One listening socket: what comes in goes to the receiver, what that answers leaves by the same socket. */
export class ListenerSession implements MediaSession<SrtlaContract>, ReceiverOutput, ReceiverEvents {
  readonly receiver: Receiver;
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #from = new SocketAddress();
  /** Of the datagram at hand. */
  #nowUs: number;
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
    this.#nowUs = nowUs;
    const unixMs = (): number => (this.#nowUs + thread.unixOffsetUs) / 1000;
    this.receiver = new Receiver({
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
  }

  onDatagram(index: number, _role: number, nowUs: number): void {
    const { offset, length, source } = this.#thread.io.batch;
    this.#nowUs = nowUs;
    this.#from.setSource(source, index);
    const wasIdle = this.receiver.groups.size === 0;
    this.receiver.onLinkDatagram(offset[index], length[index], this.#from, nowUs);
    if (wasIdle && this.receiver.groups.size > 0) this.#port.setDeadline(this.receiver.nextDueUs);
  }

  onFrame(): void {}

  onDeadline(nowUs: number): void {
    this.receiver.onDeadline(nowUs);
    this.#port.setDeadline(this.receiver.nextDueUs);
  }

  /** The control side has opened the socket of a group. Returns the group; undefined when it is over. */
  connect(serial: number, upstream: UpstreamSession): Group | undefined {
    const group = this.receiver.find(serial);
    if (group !== undefined) this.#upstreams[group.index] = upstream;
    return group;
  }

  disconnect(group: Group, upstream: UpstreamSession): void {
    if (this.#upstreams[group.index] === upstream) this.#upstreams[group.index] = undefined;
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

  groupUp(group: Group): void {
    this.#port.emit({ type: 'group-up', group: group.serial });
  }

  groupDown(group: Group, reason: GroupDownReason): void {
    this.#upstreams[group.index]?.forgetListener();
    this.#upstreams[group.index] = undefined;
    this.#port.emit({ type: 'group-down', group: group.serial, reason });
  }

  linkUp({ group, address }: Link): void {
    this.#port.emit({ type: 'link-up', group: group.serial, address: plainAddress(address) });
  }

  linkDown({ group, address }: Link, reason: LinkDownReason): void {
    this.#port.emit({ type: 'link-down', group: group.serial, address: plainAddress(address), reason });
  }
}
