import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc } from './libc.ts';
import {
  CMSG_DATA_OFFSET,
  CMSG_LEVEL_OFFSET,
  CMSG_TYPE_OFFSET,
  IOVEC_BYTES,
  IOVEC_LENGTH_OFFSET,
  MSGHDR_BYTES,
  MSG_CONTROLLEN_OFFSET,
  MSG_CONTROL_OFFSET,
  MSG_IOVLEN_OFFSET,
  MSG_IOV_OFFSET,
  MSG_NAMELEN_OFFSET,
  writeAddress,
} from './message.ts';
import { SOCKADDR_BYTES, encodeSockaddr } from './sockaddr.ts';
import type { DestinationFamily } from './sockaddr.ts';
import { UDP_SEGMENT } from './socket.ts';
import { queueSendMessage } from './submission-ring.ts';
import type { SubmissionRing } from './submission-ring.ts';

/** UDP_MAX_SEGMENTS of linux/udp.h (128 since 6.10). */
export const MAX_SEGMENTS = 64;
/** What one IPv4 datagram can carry, and so one send with UDP_SEGMENT: 65535 less 20 of IPv4 and 8 of UDP. */
export const MAX_SEND_BYTES = 65_507;

/** CMSG_LEN(2) and CMSG_SPACE(2): the size of a segment is a uint16_t. */
const CMSG_LENGTH = 18;
const CMSG_SPACE = 24;

/**
 * Datagrams of one length (the last may be shorter) to one destination, from anywhere in an arena, in one call: generic
 * segmentation offload, udp(7), with a vector of them instead of a copy. Built by `start` and `add`, then sent, or taken
 * apart again by `offset` and `length`. What the kernel is shown lies in a private arena, where nobody else can write.
 */
export class SegmentRun {
  /** Datagrams, and their bytes. */
  count = 0;
  byteLength = 0;
  /** Where they go: five words, as `start` was told. */
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  port = 0;
  #family: DestinationFamily | null = null;
  #segmentBytes = 0;
  #vectors = 0;
  /** Behind the last byte that was added. */
  #end = 0;
  readonly #offsets = new Int32Array(MAX_SEGMENTS);
  readonly #arena: Arena;
  readonly #kernel = new Arena(SOCKADDR_BYTES + MSGHDR_BYTES + CMSG_SPACE + MAX_SEGMENTS * IOVEC_BYTES);
  readonly #view = this.#kernel.view;
  readonly #name = this.#kernel.reserve(SOCKADDR_BYTES);
  readonly #message = this.#kernel.reserve(MSGHDR_BYTES);
  readonly #control = this.#kernel.reserve(CMSG_SPACE);
  readonly #vector = this.#kernel.reserve(MAX_SEGMENTS * IOVEC_BYTES);

  constructor(arena: Arena) {
    this.#arena = arena;
    const view = this.#view;
    writeAddress(view, this.#message, addressIn(this.#kernel, this.#name, SOCKADDR_BYTES));
    writeAddress(view, this.#message + MSG_IOV_OFFSET, addressIn(this.#kernel, this.#vector, IOVEC_BYTES));
    writeAddress(view, this.#message + MSG_CONTROL_OFFSET, addressIn(this.#kernel, this.#control, CMSG_SPACE));
    view.setUint32(this.#message + MSG_CONTROLLEN_OFFSET, CMSG_SPACE, true);
    view.setUint32(this.#control, CMSG_LENGTH, true);
    view.setInt32(this.#control + CMSG_LEVEL_OFFSET, UDP_SEGMENT.level, true);
    view.setInt32(this.#control + CMSG_TYPE_OFFSET, UDP_SEGMENT.name, true);
  }

  /** Empties it, for this destination. An AF_INET one takes `w3` alone, TO_PEER none of it. */
  start(family: DestinationFamily, w0: number, w1: number, w2: number, w3: number, port: number): void {
    this.clear();
    if (family === this.#family && this.#leadsTo(w0, w1, w2, w3, port)) return;
    this.#family = family;
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.port = port;
    const nameLength = encodeSockaddr(this.#view, this.#name, family, w0, w1, w2, w3, port);
    this.#view.setUint32(this.#message + MSG_NAMELEN_OFFSET, nameLength, true);
  }

  /** Whether `add` has room for such a datagram behind those that it holds; always in an empty one. */
  takes(length: number, w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    if (this.count === 0) return true;
    const segmentBytes = this.#segmentBytes;
    return (
      this.count < MAX_SEGMENTS &&
      length <= segmentBytes &&
      length > 0 &&
      // None has been shorter yet.
      this.byteLength === this.count * segmentBytes &&
      this.byteLength + length <= MAX_SEND_BYTES &&
      this.#leadsTo(w0, w1, w2, w3, port)
    );
  }

  #leadsTo(w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    return this.port === port && this.w3 === w3 && this.w2 === w2 && this.w1 === w1 && this.w0 === w0;
  }

  /** The bytes must be left alone until they are sent. @throws RangeError for bytes outside the arena, or without room for them */
  add(offset: number, length: number): void {
    const payload = addressIn(this.#arena, offset, length);
    if (!this.takes(length, this.w0, this.w1, this.w2, this.w3, this.port)) {
      throw new RangeError(`no room for ${length} bytes behind ${this.count} of ${this.#segmentBytes}`);
    }
    if (this.count === 0) this.#segmentBytes = length;
    if (offset === this.#end && this.count > 0) {
      const lengthAt = this.#vector + (this.#vectors - 1) * IOVEC_BYTES + IOVEC_LENGTH_OFFSET;
      this.#view.setUint32(lengthAt, this.#view.getUint32(lengthAt, true) + length, true);
    } else {
      const vector = this.#vector + this.#vectors++ * IOVEC_BYTES;
      writeAddress(this.#view, vector, payload);
      this.#view.setUint32(vector + IOVEC_LENGTH_OFFSET, length, true);
    }
    this.#offsets[this.count++] = offset;
    this.byteLength += length;
    this.#end = offset + length;
  }

  /** Where datagram `index` lies in the arena. */
  offset(index: number): number {
    return this.#offsets[index];
  }

  length(index: number): number {
    const before = index * this.#segmentBytes;
    return index === this.count - 1 ? this.byteLength - before : this.#segmentBytes;
  }

  /** Two datagrams or more. It keeps them. @returns `byteLength`, or -errno: then none has left. @throws RangeError */
  send(fd: number): number {
    checkFd(fd);
    const message = this.#finish();
    for (;;) {
      const result = libc().sendmsg(fd, message, 0);
      if (result >= 0) return result;
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /**
   * The same as one request of a ring; a completion comes only if it fails. The run and its bytes must be left alone until the ring is
   * submitted. @throws RangeError
   */
  queue(ring: SubmissionRing, fd: number, token: number): void {
    queueSendMessage(ring, fd, this.#finish(), token);
  }

  /** What sendmsg is shown. @returns its address */
  #finish(): number {
    // The vectors hold addresses of the caller's arena: it must still be open.
    addressIn(this.#arena, 0, 0);
    this.#view.setUint32(this.#message + MSG_IOVLEN_OFFSET, this.#vectors, true);
    this.#view.setUint16(this.#control + CMSG_DATA_OFFSET, this.#segmentBytes, true);
    return addressIn(this.#kernel, this.#message, MSGHDR_BYTES);
  }

  clear(): void {
    this.count = 0;
    this.byteLength = 0;
    this.#vectors = 0;
  }

  /** Idempotent. Sends after it throw. */
  close(): void {
    this.#kernel.close();
  }
}
