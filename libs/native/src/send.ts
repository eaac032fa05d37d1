import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc } from './libc.ts';
import { SOCKADDR_BYTES, encodeSockaddr } from './sockaddr.ts';
import type { AddressFamily } from './sockaddr.ts';
import { UDP_SEGMENT } from './socket.ts';
import { queueSend } from './submission-ring.ts';
import type { SubmissionRing } from './submission-ring.ts';

/** UDP_MAX_SEGMENTS of linux/udp.h (128 since 6.10). */
export const MAX_SEGMENTS = 64;
/** What one IPv4 datagram can carry, and so one send with UDP_SEGMENT: 65535 less 20 of IPv4 and 8 of UDP. */
export const MAX_SEND_BYTES = 65_507;
const MAX_SEGMENT_BYTES = 0xffff;

/*
 * struct msghdr on LP64, 56 bytes (sendmsg(2)):
 *   0 msg_name*  8 msg_namelen (u32)  16 msg_iov*  24 msg_iovlen  32 msg_control*  40 msg_controllen  48 msg_flags
 * struct cmsghdr: 0 cmsg_len (size_t)  8 cmsg_level  12 cmsg_type  16 data, here a uint16_t
 */
const MSGHDR_BYTES = 56;
const MSG_NAMELEN_OFFSET = 8;
const MSG_IOV_OFFSET = 16;
const MSG_IOVLEN_OFFSET = 24;
const MSG_CONTROL_OFFSET = 32;
const MSG_CONTROLLEN_OFFSET = 40;
const IOVEC_BYTES = 16;
const IOVEC_LENGTH_OFFSET = 8;
const CMSG_LEVEL_OFFSET = 8;
const CMSG_TYPE_OFFSET = 12;
const CMSG_DATA_OFFSET = 16;
/** CMSG_LEN(2) and CMSG_SPACE(2). */
const CMSG_LENGTH = 18;
const CMSG_SPACE = 24;

/** Sends from an arena. The structures that hold addresses lie in a private arena, where nobody else can write. */
export class DatagramSender {
  readonly #arena: Arena;
  readonly #kernel: Arena;
  readonly #view: DataView;
  readonly #name: number;
  readonly #message: number;
  readonly #vector: number;
  readonly #control: number;
  readonly #queuedNames: number;
  readonly #maxQueued: number;
  #nameLength = 0;

  /** `maxQueued`: sends that can wait in a ring. */
  constructor(arena: Arena, maxQueued = 0) {
    this.#arena = arena;
    this.#kernel = new Arena((1 + maxQueued) * SOCKADDR_BYTES + MSGHDR_BYTES + IOVEC_BYTES + CMSG_SPACE);
    this.#view = this.#kernel.view;
    this.#name = this.#kernel.reserve(SOCKADDR_BYTES);
    this.#message = this.#kernel.reserve(MSGHDR_BYTES);
    this.#vector = this.#kernel.reserve(IOVEC_BYTES);
    this.#control = this.#kernel.reserve(CMSG_SPACE);
    this.#queuedNames = this.#kernel.reserve(maxQueued * SOCKADDR_BYTES);
    this.#maxQueued = maxQueued;
    this.#setAddress(this.#message, addressIn(this.#kernel, this.#name, SOCKADDR_BYTES));
    this.#setAddress(this.#message + MSG_IOV_OFFSET, addressIn(this.#kernel, this.#vector, IOVEC_BYTES));
    this.#view.setUint32(this.#message + MSG_IOVLEN_OFFSET, 1, true);
    this.#setAddress(this.#message + MSG_CONTROL_OFFSET, addressIn(this.#kernel, this.#control, CMSG_SPACE));
    this.#view.setUint32(this.#message + MSG_CONTROLLEN_OFFSET, CMSG_SPACE, true);
    this.#view.setUint32(this.#control, CMSG_LENGTH, true);
    this.#view.setInt32(this.#control + CMSG_LEVEL_OFFSET, UDP_SEGMENT.level, true);
    this.#view.setInt32(this.#control + CMSG_TYPE_OFFSET, UDP_SEGMENT.name, true);
  }

  /** 64 bits in two halves, no BigInt; user-space addresses stay below 2^53. */
  #setAddress(at: number, address: number): void {
    this.#view.setUint32(at, address % 2 ** 32, true);
    this.#view.setUint32(at + 4, Math.floor(address / 2 ** 32), true);
  }

  /** Where the sends that follow go. An AF_INET destination takes `w3` alone. */
  setDestination(family: AddressFamily, w0: number, w1: number, w2: number, w3: number, port: number): void {
    this.#nameLength = encodeSockaddr(this.#view, this.#name, family, w0, w1, w2, w3, port);
  }

  /** One datagram. @returns its length, or -errno. @throws RangeError for bytes outside the arena */
  send(fd: number, offset: number, length: number): number {
    checkFd(fd);
    const payload = addressIn(this.#arena, offset, length);
    const name = addressIn(this.#kernel, this.#name, SOCKADDR_BYTES);
    for (;;) {
      const result = libc().sendto(fd, payload, length, 0, name, this.#nameLength);
      if (result >= 0) return result;
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /**
   * Queues one datagram; a completion comes only if it fails, with `place` for its token. The bytes and that place for its
   * destination, 0 to less than `maxQueued`, must be left alone until the ring is submitted. @throws RangeError
   */
  queue(
    ring: SubmissionRing,
    fd: number,
    offset: number,
    length: number,
    family: AddressFamily,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
    place: number,
  ): void {
    if ((place | 0) !== place || place < 0 || place >= this.#maxQueued) throw new RangeError(`no place ${place}`);
    const payload = addressIn(this.#arena, offset, length);
    const name = this.#queuedNames + place * SOCKADDR_BYTES;
    const nameLength = encodeSockaddr(this.#view, name, family, w0, w1, w2, w3, port);
    queueSend(ring, fd, payload, length, addressIn(this.#kernel, name, SOCKADDR_BYTES), nameLength, place);
  }

  /**
   * Datagrams of `segmentBytes` each (the last may be shorter) in one call: generic segmentation offload, udp(7).
   * At most MAX_SEGMENTS of them and MAX_SEND_BYTES in all. @returns bytes sent, or -errno. @throws RangeError
   */
  sendSegments(fd: number, offset: number, segmentBytes: number, totalBytes: number): number {
    checkFd(fd);
    if ((segmentBytes | 0) !== segmentBytes || segmentBytes < 1 || segmentBytes > MAX_SEGMENT_BYTES) {
      throw new RangeError(`segments of ${segmentBytes} bytes: must be 1 to ${MAX_SEGMENT_BYTES}`);
    }
    this.#setAddress(this.#vector, addressIn(this.#arena, offset, totalBytes));
    this.#view.setUint32(this.#vector + IOVEC_LENGTH_OFFSET, totalBytes, true);
    this.#view.setUint32(this.#message + MSG_NAMELEN_OFFSET, this.#nameLength, true);
    this.#view.setUint16(this.#control + CMSG_DATA_OFFSET, segmentBytes, true);
    const message = addressIn(this.#kernel, this.#message, MSGHDR_BYTES);
    for (;;) {
      const result = libc().sendmsg(fd, message, 0);
      if (result >= 0) return result;
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /** Idempotent. Sends after it throw. */
  close(): void {
    this.#kernel.close();
  }
}
