import type { Socket } from 'node:dgram';
import { formatIp, parseIpInto } from './address-text.ts';
import { DGRAM_CAPABILITIES, bindDgram, closeQuietly } from './dgram-udp-sockets.ts';
import { NetError } from './errors.ts';
import {
  DEFAULT_ARENA_BYTES,
  DEFAULT_BATCH_SIZE,
  DEFAULT_MAX_PER_SOCKET,
  SLOT_BYTES,
  checkRange,
  checkRun,
  checkTag,
  createBatch,
  createCounters,
} from './packet-columns.ts';
import { HEADROOM_BYTES, MAX_DATAGRAM_BYTES } from './packet-io.ts';
import type { PacketBatch, PacketIo, PacketIoOptions, UdpSocketHandle } from './packet-io.ts';
import { isIpv4, SOURCE_WORDS, SocketAddress, type AddressWords } from './socket-address.ts';

const ALIGNMENT_BYTES = 8;
/** What may wait for `receive` of one socket, in batches' worth of it. */
const WAITING_PASSES = 8;

interface Datagram {
  readonly payload: Buffer;
  readonly source: SocketAddress;
}

interface Attached {
  readonly socket: Socket;
  readonly tag: number;
  readonly ipv6: boolean;
  readonly connected: boolean;
  /** Arrived, not yet received. In `#ready` exactly while this is not empty. */
  readonly waiting: Datagram[];
  failedSends: number;
}

/** UDP over node:dgram: datagrams are copied in and out of the arena, and the system's answer to a send is counted when it comes. */
export class DgramPacketIo implements PacketIo {
  readonly capabilities = DGRAM_CAPABILITIES;
  readonly batchesCalls = false;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly batch: PacketBatch;
  readonly counters = createCounters();
  readonly doorbellRung = false;
  onReadable: (() => void) | null = null;
  /** Node closes what is its own. */
  readonly descriptors: readonly number[] = [];

  readonly #batchSize: number;
  readonly #maxPerSocket: number;
  readonly #sockets: (Attached | undefined)[] = [];
  #free: number[] = [];
  /** Sockets with datagrams waiting, the longest unserved first. */
  #ready: Attached[] = [];
  #reserved: number;
  #announced: NodeJS.Immediate | undefined;
  #closed = false;

  /** @throws RangeError if `arenaBytes` cannot hold the receive slots */
  constructor(options: PacketIoOptions = {}) {
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
    this.#maxPerSocket = options.maxPerSocket ?? DEFAULT_MAX_PER_SOCKET;
    this.bytes = new Uint8Array(options.arenaBytes ?? DEFAULT_ARENA_BYTES);
    this.view = new DataView(this.bytes.buffer);
    this.batch = createBatch(this.#batchSize);
    this.#reserved = 0;
    this.reserve(this.#batchSize * SLOT_BYTES);
  }

  reserve(byteLength: number): number {
    const offset = this.#reserved;
    checkRange(offset, byteLength, this.bytes.length);
    this.#reserved = Math.ceil((offset + byteLength) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return offset;
  }

  async attach(handle: UdpSocketHandle, tag: number): Promise<number> {
    checkTag(tag);
    if (handle.implementation !== 'dgram') {
      throw new NetError('invalid-handle', `a ${handle.implementation} socket cannot be attached to a dgram PacketIo`);
    }
    const { address, port, peer } = handle;
    const ipv6 = address.includes(':');
    const socket = await bindDgram(address, port, toAsk(handle.receiveBufferBytes), toAsk(handle.sendBufferBytes));
    const connected = peer !== undefined && (await connect(socket, peer.port, textOf(peer, ipv6)));
    if (this.#closed) {
      closeQuietly(socket);
      throw new NetError('invalid-handle', 'the PacketIo was closed meanwhile');
    }
    const attached: Attached = { socket, tag, ipv6, connected, waiting: [], failedSends: 0 };
    socket.on('message', (payload, from) => this.#arrive(attached, payload, from.address, from.port));
    socket.on('error', (error: Error & { code?: string }) => {
      // A connected socket's peer was not there for something that was sent before.
      if (error.code === 'ECONNREFUSED') this.counters.sendRefused += 1;
      else this.counters.receiveFailed += 1;
    });
    const index = this.#free.pop() ?? this.#sockets.length;
    this.#sockets[index] = attached;
    return index;
  }

  detach(socket: number): void {
    const attached = this.#sockets[socket];
    if (!attached) return;
    this.#sockets[socket] = undefined;
    this.#free.push(socket);
    this.#ready = this.#ready.filter((ready) => ready !== attached);
    attached.waiting.length = 0;
    attached.socket.removeAllListeners('message');
    closeQuietly(attached.socket);
  }

  #arrive(attached: Attached, payload: Buffer, ip: string, port: number): void {
    if (payload.length > MAX_DATAGRAM_BYTES) {
      this.counters.truncated += 1;
      return;
    }
    if (attached.waiting.length >= this.#maxPerSocket * WAITING_PASSES) {
      this.counters.overflowed += 1;
      return;
    }
    const source = new SocketAddress();
    // A link-local source comes with its zone (`fe80::1%eth0`), which SocketAddress has no place for.
    parseIpInto(source, ip.split('%')[0]);
    source.port = port;
    attached.waiting.push({ payload, source });
    if (attached.waiting.length === 1) this.#ready.push(attached);
    this.#announce();
  }

  #announce(): void {
    this.#announced ??= setImmediate(() => {
      this.#announced = undefined;
      this.onReadable?.();
    });
  }

  receive(_timeoutUs: number): number {
    this.batch.count = 0;
    // One of each socket before the second of any, as the native pass does it.
    for (let round = 0; round < this.#maxPerSocket && this.#ready.length > 0; round++) {
      if (!this.#receiveRound(round)) break;
    }
    if (this.#ready.length > 0) this.#announce();
    return this.batch.count;
  }

  /** @returns false when the batch is full */
  #receiveRound(round: number): boolean {
    const turn = this.#ready;
    this.#ready = [];
    for (let index = 0; index < turn.length; index++) {
      const attached = turn[index];
      const datagram = this.batch.count < this.#batchSize ? attached.waiting.shift() : undefined;
      if (!datagram) {
        this.#ready = [...turn.slice(index), ...this.#ready];
        return false;
      }
      if (round === this.#maxPerSocket - 1) this.counters.backlogs += 1;
      this.#accept(attached.tag, datagram);
      if (attached.waiting.length > 0) this.#ready.push(attached);
    }
    return true;
  }

  #accept(tag: number, { payload, source }: Datagram): void {
    const { batch } = this;
    const index = batch.count++;
    const offset = index * SLOT_BYTES + HEADROOM_BYTES;
    this.bytes.set(payload, offset);
    batch.offset[index] = offset;
    batch.length[index] = payload.length;
    batch.tag[index] = tag;
    batch.source.set([source.w0, source.w1, source.w2, source.w3, source.port], index * SOURCE_WORDS);
    this.counters.received += 1;
    this.counters.receivedBytes += payload.length;
  }

  /** True when node:dgram took it; what the system made of it is counted when Node reports it. */
  send(socket: number, offset: number, length: number, to: AddressWords): boolean {
    const attached = this.#sockets[socket];
    if (!attached) throw new RangeError(`socket ${socket} is not attached`);
    checkRange(offset, length, this.bytes.length);
    if (to.port === 0 || (!attached.ipv6 && !isIpv4(to))) {
      this.counters.sendFailed += 1;
      attached.failedSends += 1;
      return false;
    }
    // A copy: node:dgram may send later, and the arena will have changed by then.
    const payload = Buffer.from(this.bytes.subarray(offset, offset + length));
    const onSent = (error: Error | null): void => this.#countSend(attached, error, length);
    if (attached.connected) attached.socket.send(payload, onSent);
    else attached.socket.send(payload, to.port, textOf(to, attached.ipv6), onSent);
    return true;
  }

  /** The same as `send`: Node copies what it is given, so nothing is won by waiting. */
  queue(socket: number, offset: number, length: number, to: AddressWords): void {
    this.send(socket, offset, length, to);
  }

  flush(): void {
    // Nothing is ever held back.
  }

  failedSends(socket: number): number {
    return this.#sockets[socket]?.failedSends ?? 0;
  }

  sendRun(socket: number, offset: number, segmentBytes: number, totalBytes: number, to: AddressWords): number {
    checkRun(offset, segmentBytes, totalBytes, this.bytes.length);
    let sent = 0;
    for (let at = 0; at < totalBytes; at += segmentBytes) {
      if (this.send(socket, offset + at, Math.min(segmentBytes, totalBytes - at), to)) sent += 1;
    }
    return sent;
  }

  #countSend(attached: Attached, error: Error | null, length: number): void {
    const { counters } = this;
    if (error) attached.failedSends += 1;
    const code = error && 'code' in error ? error.code : undefined;
    if (!error) {
      counters.sent += 1;
      counters.sentBytes += length;
    } else if (code === 'EAGAIN' || code === 'ENOBUFS') {
      counters.sendWouldBlock += 1;
    } else if (code === 'ECONNREFUSED') {
      counters.sendRefused += 1;
    } else if (code === 'EMSGSIZE') {
      counters.sendTooBig += 1;
    } else {
      counters.sendFailed += 1;
    }
  }

  /** Idempotent. Closes what is attached. */
  close(): void {
    this.#closed = true;
    this.onReadable = null;
    this.#sockets.forEach((_, socket) => this.detach(socket));
    clearImmediate(this.#announced);
  }
}

/** Returns whether there is a way to it. */
function connect(socket: Socket, port: number, ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.connect(port, ip, (error?: Error) => resolve(error === undefined));
  });
}

/** As a socket of that version takes it. */
function textOf(address: AddressWords, ipv6: boolean): string {
  return ipv6 && isIpv4(address) ? `::ffff:${formatIp(address)}` : formatIp(address);
}

/** Linux grants twice what it is asked for (socket(7)). */
function toAsk(grantedBytes: number): number {
  return process.platform === 'linux' ? grantedBytes / 2 : grantedBytes;
}
