import { AF_INET, AF_INET6, DatagramSender, Errno, MAX_SEGMENTS, MAX_SEND_BYTES } from '@mediaplane/native';
import type { Arena, SubmissionRing } from '@mediaplane/native';
import { checkRun } from './packet-columns.ts';
import type { PacketIoCounters } from './packet-io.ts';
import { isIpv4, type AddressWords } from './socket-address.ts';
import type { SocketTable } from './socket-table.ts';

/** More queued sends than these do not wait for `flush`: after a stall a batch is long, and its first would wait for its last. */
const MAX_QUEUED = 32;
const REFUSED = -1;
const UNREACHABLE = 0;

/** The sending half of a NativePacketIo: at once, queued for one call, or in runs that the kernel segments. */
export class NativeSends {
  readonly #arena: Arena;
  readonly #sender: DatagramSender;
  readonly #sockets: SocketTable;
  readonly #counters: PacketIoCounters;
  readonly #ring: SubmissionRing | null;
  /** Of the sends in the ring, by place: their sockets and lengths. */
  readonly #queuedSockets: Int32Array;
  readonly #queuedLengths: Int32Array;

  /** Without a ring what is queued leaves at once. */
  constructor(arena: Arena, sockets: SocketTable, counters: PacketIoCounters, ring: SubmissionRing | null) {
    const places = ring === null ? 0 : Math.min(MAX_QUEUED, ring.capacity);
    this.#arena = arena;
    this.#sender = new DatagramSender(arena, places);
    this.#sockets = sockets;
    this.#counters = counters;
    this.#ring = ring;
    this.#queuedSockets = new Int32Array(places);
    this.#queuedLengths = new Int32Array(places);
  }

  send(socket: number, offset: number, length: number, to: AddressWords): boolean {
    const fd = this.#attachedFd(socket);
    return this.#setDestination(socket, to, 1) && this.#sendOne(socket, fd, offset, length);
  }

  #sendOne(socket: number, fd: number, offset: number, length: number): boolean {
    const counters = this.#counters;
    const result = this.#sender.send(fd, offset, length);
    if (result < 0) {
      this.#countSendFailure(socket, -result, 1);
      return false;
    }
    counters.sent += 1;
    counters.sentBytes += length;
    return true;
  }

  queue(socket: number, offset: number, length: number, to: AddressWords): void {
    const ring = this.#ring;
    if (ring === null) {
      this.send(socket, offset, length, to);
      return;
    }
    const fd = this.#attachedFd(socket);
    const family = this.#familyFor(socket, to);
    if (family === UNREACHABLE) {
      this.#countSendFailure(socket, Errno.EAFNOSUPPORT, 1);
      return;
    }
    if (ring.queued === this.#queuedSockets.length) this.flush();
    const place = ring.queued;
    this.#sender.queue(ring, fd, offset, length, family, to.w0, to.w1, to.w2, to.w3, to.port, place);
    this.#queuedSockets[place] = socket;
    this.#queuedLengths[place] = length;
    this.#counters.sent += 1;
    this.#counters.sentBytes += length;
  }

  flush(): void {
    const ring = this.#ring;
    if (ring === null || ring.queued === 0) return;
    const { queued } = ring;
    const failures = ring.submit();
    for (let index = 0; index < failures; index++) this.#takeBack(ring.token(index), -ring.result(index));
    for (let place = queued - ring.refused; place < queued; place++) this.#takeBack(place, ring.refusal);
  }

  /** A queued send has failed: it was counted as sent. */
  #takeBack(place: number, errno: number): void {
    this.#counters.sent -= 1;
    this.#counters.sentBytes -= this.#queuedLengths[place];
    this.#countSendFailure(this.#queuedSockets[place], errno, 1);
  }

  sendRun(socket: number, offset: number, segmentBytes: number, totalBytes: number, to: AddressWords): number {
    checkRun(offset, segmentBytes, totalBytes, this.#arena.byteLength);
    const fd = this.#attachedFd(socket);
    if (!this.#setDestination(socket, to, Math.ceil(totalBytes / segmentBytes))) return 0;
    const chunkBytes = segmentBytes * Math.min(MAX_SEGMENTS, Math.max(1, Math.floor(MAX_SEND_BYTES / segmentBytes)));
    let sent = 0;
    for (let at = 0; at < totalBytes;) {
      const bytes = Math.min(chunkBytes, totalBytes - at);
      if (this.#sockets.segments(socket) && bytes > segmentBytes) {
        const segments = this.#sendSegments(socket, fd, offset + at, segmentBytes, bytes);
        if (segments === REFUSED) {
          this.#sockets.refuseSegments(socket);
          this.#counters.gsoRefused += 1;
          continue;
        }
        sent += segments;
        at += bytes;
      } else {
        const length = Math.min(segmentBytes, totalBytes - at);
        if (this.#sendOne(socket, fd, offset + at, length)) sent += 1;
        at += length;
      }
    }
    return sent;
  }

  /** @returns segments sent, or REFUSED if this socket's route cannot segment */
  #sendSegments(socket: number, fd: number, offset: number, segmentBytes: number, bytes: number): number {
    const segments = Math.ceil(bytes / segmentBytes);
    const result = this.#sender.sendSegments(fd, offset, segmentBytes, bytes);
    if (result >= 0) {
      this.#counters.sent += segments;
      this.#counters.sentBytes += bytes;
      return segments;
    }
    if (refusesSegments(-result)) return REFUSED;
    this.#countSendFailure(socket, -result, segments);
    return 0;
  }

  /** @throws RangeError */
  #attachedFd(socket: number): number {
    const fd = this.#sockets.fd(socket);
    if (fd >= 0) return fd;
    throw new RangeError(`socket ${socket} is not attached`);
  }

  /** @returns false, and counts `datagrams` as failed, if this socket cannot send there */
  #setDestination(socket: number, to: AddressWords, datagrams: number): boolean {
    const family = this.#familyFor(socket, to);
    if (family === UNREACHABLE) {
      this.#countSendFailure(socket, Errno.EAFNOSUPPORT, datagrams);
      return false;
    }
    this.#sender.setDestination(family, to.w0, to.w1, to.w2, to.w3, to.port);
    return true;
  }

  /** UNREACHABLE: an IPv6 address from an IPv4 socket, or port 0. */
  #familyFor(socket: number, to: AddressWords): typeof AF_INET | typeof AF_INET6 | typeof UNREACHABLE {
    if (to.port === 0) return UNREACHABLE;
    if (this.#sockets.family(socket) === AF_INET6) return AF_INET6;
    return isIpv4(to) ? AF_INET : UNREACHABLE;
  }

  #countSendFailure(socket: number, errno: number, datagrams: number): void {
    const counters = this.#counters;
    this.#sockets.countFailedSends(socket, datagrams);
    switch (errno) {
      case Errno.EAGAIN:
      case Errno.ENOBUFS:
        counters.sendWouldBlock += datagrams;
        break;
      case Errno.ECONNREFUSED:
        counters.sendRefused += datagrams;
        break;
      case Errno.EMSGSIZE:
        counters.sendTooBig += datagrams;
        break;
      default:
        counters.sendFailed += datagrams;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#sender.close();
  }
}

/** A device without checksum offload, a segment above the MTU, or a kernel before 4.18. */
function refusesSegments(errno: number): boolean {
  return (
    errno === Errno.EIO ||
    errno === Errno.EINVAL ||
    errno === Errno.EMSGSIZE ||
    errno === Errno.EOPNOTSUPP ||
    errno === Errno.ENOPROTOOPT
  );
}
