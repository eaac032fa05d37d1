import {
  AF_INET,
  AF_INET6,
  Arena,
  DatagramReceiver,
  Epoll,
  Errno,
  SubmissionRing,
  SystemCallError,
  TO_PEER,
  drainEventfd,
} from '@mediaplane/native';
import { NetError, netErrorFrom } from './errors.ts';
import { nativeCapabilities } from './native-capabilities.ts';
import { NativeSends } from './native-sends.ts';
import {
  DEFAULT_ARENA_BYTES,
  DEFAULT_BATCH_SIZE,
  DEFAULT_MAX_PER_SOCKET,
  SLOT_BYTES,
  checkTag,
  createBatch,
  createCounters,
} from './packet-columns.ts';
import { HEADROOM_BYTES, MAX_DATAGRAM_BYTES } from './packet-io.ts';
import type { NetCapabilities, PacketBatch, PacketIo, PacketIoOptions, UdpSocketHandle } from './packet-io.ts';
import { SOURCE_WORDS } from './socket-address.ts';
import type { AddressWords } from './socket-address.ts';
import { SocketTable } from './socket-table.ts';

/** The epoll token of the doorbell; sockets have their index. */
const DOORBELL = 0x7fffffff;
const MAX_TIMEOUT_MS = 0x7fffffff;
/** With fewer ready sockets single calls are as cheap. */
const WORTH_A_BATCH = 3;

/**
 * UDP over epoll. A pass takes ONE datagram from each ready socket, all of them in one call where there is io_uring, else
 * each with the cheapest call; a socket that is ready again in the very next pass has a backlog and is drained with recvmmsg,
 * `maxPerSocket` datagrams a pass at most. Every ready socket is served in the pass that reports it, for there are as many
 * slots as events, and a widened receive leaves the later sockets theirs; epoll itself takes turns when more are ready than fit.
 */
export class NativePacketIo implements PacketIo {
  readonly capabilities: NetCapabilities = nativeCapabilities();
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly batch: PacketBatch;
  readonly counters = createCounters();
  doorbellRung = false;
  onReadable: (() => void) | null = null;

  readonly #arena: Arena;
  readonly #receiver: DatagramReceiver;
  readonly #sends: NativeSends;
  /** Null where the system has no io_uring, or forbids it. */
  readonly #ring: SubmissionRing | null;
  /** Of the slots that receives are queued into. */
  readonly #slotSockets: Int32Array;
  readonly #epoll: Epoll;
  readonly #doorbellFd: number;
  readonly #batchSize: number;
  readonly #maxPerSocket: number;
  readonly #sockets = new SocketTable();
  /** Counts passes; compared with a socket's `lastPass`. */
  #pass = 0;
  #nextSlot = 0;

  /** @throws RangeError if `arenaBytes` cannot hold the receive slots; NetError */
  constructor(options: PacketIoOptions = {}) {
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
    this.#maxPerSocket = options.maxPerSocket ?? DEFAULT_MAX_PER_SOCKET;
    this.#doorbellFd = options.doorbell?.fd ?? -1;
    this.batch = createBatch(this.#batchSize);
    this.#arena = new Arena(options.arenaBytes ?? DEFAULT_ARENA_BYTES);
    this.bytes = this.#arena.bytes;
    this.view = this.#arena.view;
    this.#receiver = new DatagramReceiver(this.#arena, {
      offset: this.#arena.reserve(this.#batchSize * SLOT_BYTES) + HEADROOM_BYTES,
      strideBytes: SLOT_BYTES,
      payloadBytes: MAX_DATAGRAM_BYTES,
      count: this.#batchSize,
    });
    this.#ring = options.batchCalls === false ? null : openRing(this.#batchSize);
    this.#sends = new NativeSends(this.#arena, this.#sockets, this.counters, this.#ring);
    this.#slotSockets = new Int32Array(this.#batchSize);
    try {
      this.#epoll = new Epoll(this.#batchSize);
      if (this.#doorbellFd >= 0) this.#epoll.add(this.#doorbellFd, DOORBELL);
    } catch (error) {
      this.#ring?.close();
      throw netErrorFrom('epoll', error);
    }
  }

  get batchesCalls(): boolean {
    return this.#ring !== null;
  }

  reserve(byteLength: number): number {
    return this.#arena.reserve(byteLength);
  }

  attach(handle: UdpSocketHandle, tag: number): number {
    checkTag(tag);
    if (handle.implementation !== 'native') {
      throw new NetError('invalid-handle', `a ${handle.implementation} socket cannot be attached to a native PacketIo`);
    }
    const family = handle.peer ? TO_PEER : handle.address.includes(':') ? AF_INET6 : AF_INET;
    const gathersRuns = handle.segmentRuns === true;
    const socket = this.#sockets.add(handle.fd, family, tag, this.capabilities.gso, gathersRuns);
    try {
      this.#epoll.add(handle.fd, socket);
    } catch (error) {
      this.#sockets.remove(socket);
      throw netErrorFrom(`attaching ${handle.address} port ${handle.port}`, error);
    }
    if (gathersRuns) this.#sends.prepareRuns(socket);
    return socket;
  }

  detach(socket: number): void {
    const fd = this.#sockets.fd(socket);
    if (fd < 0) return;
    // Once it is closed, its descriptor may be another socket's.
    this.#sends.release(socket);
    this.#epoll.remove(fd);
    this.#sockets.remove(socket);
  }

  receive(timeoutUs: number): number {
    this.flush();
    this.batch.count = 0;
    this.doorbellRung = false;
    this.#nextSlot = 0;
    const ready = this.#epoll.wait(wholeMilliseconds(timeoutUs));
    if (ready < 0) {
      this.counters.receiveFailed += 1;
      return 0;
    }
    this.#pass = (this.#pass + 1) | 0;
    const ring = ready >= WORTH_A_BATCH ? this.#ring : null;
    for (let index = 0; index < ready; index++) {
      const socket = this.#epoll.token(index);
      if (socket === DOORBELL) this.doorbellRung = drainEventfd(this.#doorbellFd);
      else this.#receiveFrom(socket, ready - index - 1, ring);
    }
    if (ring && ring.queued > 0) this.#receiveQueued(ring);
    return this.batch.count;
  }

  /** `socketsToCome`: ready sockets after this one, each of which is owed a slot. */
  #receiveFrom(socket: number, socketsToCome: number, ring: SubmissionRing | null): void {
    const sockets = this.#sockets;
    const readyAgain = sockets.lastPass(socket) === this.#pass - 1;
    sockets.setLastPass(socket, this.#pass);
    if (readyAgain) {
      const free = this.#batchSize - this.#nextSlot - socketsToCome;
      this.#receiveBacklog(socket, free < this.#maxPerSocket ? free : this.#maxPerSocket);
    } else if (ring) {
      const slot = this.#nextSlot++;
      this.#slotSockets[slot] = socket;
      this.#receiver.queue(ring, sockets.fd(socket), slot);
    } else {
      const length = this.#receiver.receiveOne(sockets.fd(socket), this.#nextSlot);
      if (length >= 0) this.#accept(socket, this.#nextSlot++, length);
      else this.#countReceiveFailure(-length);
    }
  }

  #receiveQueued(ring: SubmissionRing): void {
    const completions = ring.submit();
    if (ring.refused > 0) this.#countReceiveFailure(ring.refusal);
    for (let index = 0; index < completions; index++) {
      const slot = ring.token(index);
      const length = ring.result(index);
      if (length >= 0) this.#accept(this.#slotSockets[slot], slot, length);
      else this.#countReceiveFailure(-length);
    }
  }

  #receiveBacklog(socket: number, limit: number): void {
    const first = this.#nextSlot;
    const received = this.#receiver.receiveMany(this.#sockets.fd(socket), first, limit);
    if (received === limit) this.counters.backlogs += 1;
    if (received <= 1) {
      // No backlog: one datagram a pass is cheaper to take alone.
      this.#sockets.setLastPass(socket, this.#pass - 2);
      if (received < 0) this.#countReceiveFailure(-received);
    }
    for (let slot = first; slot < first + received; slot++) this.#accept(socket, slot, this.#receiver.length(slot));
    if (received > 0) this.#nextSlot += received;
  }

  /** Puts the datagram in `slot` into the batch. */
  #accept(socket: number, slot: number, length: number): void {
    if (length > MAX_DATAGRAM_BYTES) {
      this.counters.truncated += 1;
      return;
    }
    const { batch, counters } = this;
    const index = batch.count++;
    batch.offset[index] = this.#receiver.payloadOffset(slot);
    batch.length[index] = length;
    batch.tag[index] = this.#sockets.tag(socket);
    this.#receiver.source(slot, batch.source, index * SOURCE_WORDS);
    counters.received += 1;
    counters.receivedBytes += length;
  }

  #countReceiveFailure(errno: number): void {
    // A connected socket's peer was not there for something that was sent before.
    if (errno === Errno.ECONNREFUSED) this.counters.sendRefused += 1;
    // EAGAIN: ready, but the kernel found a bad checksum.
    else if (errno !== Errno.EAGAIN) this.counters.receiveFailed += 1;
  }

  send(socket: number, offset: number, length: number, to: AddressWords): boolean {
    return this.#sends.send(socket, offset, length, to);
  }

  queue(socket: number, offset: number, length: number, to: AddressWords): void {
    this.#sends.queue(socket, offset, length, to);
  }

  flush(): void {
    this.#sends.flush();
  }

  sendRun(socket: number, offset: number, segmentBytes: number, totalBytes: number, to: AddressWords): number {
    return this.#sends.sendRun(socket, offset, segmentBytes, totalBytes, to);
  }

  failedSends(socket: number): number {
    return this.#sockets.failedSends(socket);
  }

  get descriptors(): readonly number[] {
    return this.#ring ? [this.#epoll.descriptor, this.#ring.descriptor] : [this.#epoll.descriptor];
  }

  /** Idempotent. */
  close(): void {
    this.#ring?.close();
    this.#epoll.close();
    this.#receiver.close();
    this.#sends.close();
    this.#arena.close();
  }
}

/** @returns null where the system has no io_uring, or forbids it */
function openRing(batchSize: number): SubmissionRing | null {
  try {
    return new SubmissionRing(batchSize);
  } catch (error) {
    if (error instanceof SystemCallError) return null;
    throw error;
  }
}

/** Up, so that a deadline has passed when epoll returns. */
function wholeMilliseconds(timeoutUs: number): number {
  return timeoutUs > 0 ? Math.min(Math.ceil(timeoutUs / 1000), MAX_TIMEOUT_MS) : 0;
}
