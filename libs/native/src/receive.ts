import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc } from './libc.ts';
import {
  IOVEC_BYTES,
  IOVEC_LENGTH_OFFSET,
  MSGHDR_BYTES,
  MSG_IOVLEN_OFFSET,
  MSG_IOV_OFFSET,
  MSG_NAMELEN_OFFSET,
  writeAddress,
} from './message.ts';
import { SOCKADDR_BYTES, decodeSockaddr } from './sockaddr.ts';
import { queueReceive } from './submission-ring.ts';
import type { SubmissionRing } from './submission-ring.ts';

/** Makes the kernel return the whole length of a datagram that it cut to fit. */
const MSG_TRUNC = 0x20;

/** struct mmsghdr on LP64: a struct msghdr, then msg_len (u32), padded to 64 bytes (recvmmsg(2)). */
const MMSGHDR_BYTES = 64;
const MSG_LEN_OFFSET = MSGHDR_BYTES;

/** Slots for payloads in the caller's arena: payload i starts at `offset + i * strideBytes`. */
export interface SlotLayout {
  readonly offset: number;
  readonly strideBytes: number;
  readonly payloadBytes: number;
  readonly count: number;
}

/**
 * Receives datagrams into slots of an arena. Source addresses and the kernel's own structures, which hold addresses, lie in
 * a private arena, where nobody else can write.
 */
export class DatagramReceiver {
  readonly #arena: Arena;
  readonly #slots: SlotLayout;
  readonly #offset: number;
  readonly #strideBytes: number;
  readonly #payloadBytes: number;
  readonly #count: number;
  readonly #kernel: Arena;
  readonly #view: DataView;
  readonly #messages: number;
  readonly #names: number;
  readonly #nameLength: number;

  /** @throws RangeError if the slots are not all inside the arena */
  constructor(arena: Arena, slots: SlotLayout) {
    this.#arena = arena;
    this.#slots = slots;
    this.#offset = slots.offset;
    this.#strideBytes = slots.strideBytes;
    this.#payloadBytes = slots.payloadBytes;
    this.#count = slots.count;
    this.#kernel = new Arena(slots.count * (MMSGHDR_BYTES + IOVEC_BYTES + SOCKADDR_BYTES) + 8);
    this.#view = this.#kernel.view;
    this.#messages = this.#kernel.reserve(slots.count * MMSGHDR_BYTES);
    this.#names = this.#kernel.reserve(slots.count * SOCKADDR_BYTES);
    this.#nameLength = this.#kernel.reserve(4);
    const vectors = this.#kernel.reserve(slots.count * IOVEC_BYTES);
    for (let slot = 0; slot < slots.count; slot++) this.#fillMessage(slot, vectors + slot * IOVEC_BYTES);
  }

  #fillMessage(slot: number, vector: number): void {
    const message = this.#messages + slot * MMSGHDR_BYTES;
    writeAddress(this.#view, message, addressIn(this.#kernel, this.#names + slot * SOCKADDR_BYTES, SOCKADDR_BYTES));
    this.#view.setUint32(message + MSG_NAMELEN_OFFSET, SOCKADDR_BYTES, true);
    writeAddress(this.#view, message + MSG_IOV_OFFSET, addressIn(this.#kernel, vector, IOVEC_BYTES));
    this.#view.setUint32(message + MSG_IOVLEN_OFFSET, 1, true);
    writeAddress(this.#view, vector, addressIn(this.#arena, this.payloadOffset(slot), this.#payloadBytes));
    this.#view.setUint32(vector + IOVEC_LENGTH_OFFSET, this.#payloadBytes, true);
  }

  payloadOffset(slot: number): number {
    return this.#offset + slot * this.#strideBytes;
  }

  /**
   * One datagram into `slot`: the cheapest call where sockets hold one each (0.64 us; recvmmsg 0.95).
   * @returns its length, larger than `payloadBytes` if it was cut; or -errno. @throws RangeError
   */
  receiveOne(fd: number, slot: number): number {
    checkFd(fd);
    this.#checkSlots(slot, 1);
    const payload = addressIn(this.#arena, this.#offset + slot * this.#strideBytes, this.#payloadBytes);
    const name = addressIn(this.#kernel, this.#names + slot * SOCKADDR_BYTES, SOCKADDR_BYTES);
    const nameLength = addressIn(this.#kernel, this.#nameLength, 4);
    for (;;) {
      this.#view.setUint32(this.#nameLength, SOCKADDR_BYTES, true);
      const result = libc().recvfrom(fd, payload, this.#payloadBytes, MSG_TRUNC, name, nameLength);
      if (result >= 0) return result;
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /**
   * Up to `count` datagrams into slots from `first` on; see `length`. @returns how many, or -errno. @throws RangeError
   */
  receiveMany(fd: number, first: number, count: number): number {
    checkFd(fd);
    this.#checkSlots(first, count);
    // The messages hold addresses of the caller's arena: it must still be open.
    addressIn(this.#arena, this.#offset, 0);
    const messages = addressIn(this.#kernel, this.#messages + first * MMSGHDR_BYTES, count * MMSGHDR_BYTES);
    for (;;) {
      const result = libc().recvmmsg(fd, messages, count, MSG_TRUNC, 0);
      if (result >= 0) {
        this.#resetNameLengths(first, result);
        return result;
      }
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /**
   * Queues the receive of one datagram into `slot`, which is also its token; the result of its completion is as that of
   * `receiveOne`. @throws RangeError
   */
  queue(ring: SubmissionRing, fd: number, slot: number): void {
    this.#checkSlots(slot, 1);
    addressIn(this.#arena, this.#offset, 0);
    this.#resetNameLengths(slot, 1);
    const message = addressIn(this.#kernel, this.#messages + slot * MMSGHDR_BYTES, MMSGHDR_BYTES);
    queueReceive(ring, fd, message, MSG_TRUNC, slot);
  }

  /** The kernel shortens each to what it wrote; unset, the next address would be cut to that. */
  #resetNameLengths(first: number, count: number): void {
    for (let slot = first; slot < first + count; slot++) {
      this.#view.setUint32(this.#messages + slot * MMSGHDR_BYTES + MSG_NAMELEN_OFFSET, SOCKADDR_BYTES, true);
    }
  }

  #checkSlots(first: number, count: number): void {
    if ((first | 0) !== first || (count | 0) !== count || first < 0 || count < 1 || first + count > this.#count) {
      throw new RangeError(`slots ${first} to ${first + count} are not within 0 to ${this.#slots.count}`);
    }
  }

  /** Length of the datagram that `receiveMany` put into `slot`, larger than `payloadBytes` if it was cut. */
  length(slot: number): number {
    return this.#view.getUint32(this.#messages + slot * MMSGHDR_BYTES + MSG_LEN_OFFSET, true);
  }

  /** Source of the datagram in `slot` as five words: w0, w1, w2, w3, port. */
  source(slot: number, words: Int32Array, at: number): void {
    decodeSockaddr(this.#view, this.#names + slot * SOCKADDR_BYTES, words, at);
  }

  /** Idempotent. Receives after it throw. */
  close(): void {
    this.#kernel.close();
  }
}
