import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc } from './libc.ts';
import { SOCKADDR_BYTES, encodeSockaddr } from './sockaddr.ts';
import type { AddressFamily } from './sockaddr.ts';
import { queueSend } from './submission-ring.ts';
import type { SubmissionRing } from './submission-ring.ts';

/** Sends from an arena. The structures that hold addresses lie in a private arena, where nobody else can write. */
export class DatagramSender {
  readonly #arena: Arena;
  readonly #kernel: Arena;
  readonly #view: DataView;
  readonly #name: number;
  readonly #queuedNames: number;
  readonly #maxQueued: number;
  #nameLength = 0;

  /** `maxQueued`: sends that can wait in a ring. */
  constructor(arena: Arena, maxQueued = 0) {
    this.#arena = arena;
    this.#kernel = new Arena((1 + maxQueued) * SOCKADDR_BYTES);
    this.#view = this.#kernel.view;
    this.#name = this.#kernel.reserve(SOCKADDR_BYTES);
    this.#queuedNames = this.#kernel.reserve(maxQueued * SOCKADDR_BYTES);
    this.#maxQueued = maxQueued;
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

  /** Idempotent. Sends after it throw. */
  close(): void {
    this.#kernel.close();
  }
}
