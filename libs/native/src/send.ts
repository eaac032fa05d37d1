import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc } from './libc.ts';
import { SOCKADDR_BYTES, encodeSockaddr } from './sockaddr.ts';
import type { DestinationFamily } from './sockaddr.ts';
import { queueSend } from './submission-ring.ts';
import type { SubmissionRing } from './submission-ring.ts';

/**
 * Sends from an arena. Destinations have places, so that several sends can wait for one call; they lie in a private arena,
 * where nobody else can write.
 */
export class DatagramSender {
  readonly #arena: Arena;
  readonly #kernel: Arena;
  readonly #view: DataView;
  readonly #places: number;
  readonly #nameLengths: Uint8Array;

  constructor(arena: Arena, places = 1) {
    this.#arena = arena;
    this.#kernel = new Arena(places * SOCKADDR_BYTES);
    this.#view = this.#kernel.view;
    this.#places = places;
    this.#nameLengths = new Uint8Array(places);
  }

  /** Where the sends by `place` go. An AF_INET destination takes `w3` alone, TO_PEER none of it. @throws RangeError */
  setDestination(
    place: number,
    family: DestinationFamily,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    port: number,
  ): void {
    this.#checkPlace(place);
    this.#nameLengths[place] = encodeSockaddr(this.#view, place * SOCKADDR_BYTES, family, w0, w1, w2, w3, port);
  }

  /** One datagram. @returns its length, or -errno. @throws RangeError for bytes outside the arena */
  send(fd: number, offset: number, length: number, place = 0): number {
    checkFd(fd);
    this.#checkPlace(place);
    const payload = addressIn(this.#arena, offset, length);
    const nameLength = this.#nameLengths[place];
    const name = this.#name(place);
    for (;;) {
      const result = libc().sendto(fd, payload, length, 0, name, nameLength);
      if (result >= 0) return result;
      const errno = libc().errno();
      if (errno !== Errno.EINTR) return -errno;
    }
  }

  /**
   * Queues one datagram; a completion comes only if it fails, with `place` for its token. The bytes and that place must be
   * left alone until the ring is submitted. @throws RangeError
   */
  queue(ring: SubmissionRing, fd: number, offset: number, length: number, place: number): void {
    this.#checkPlace(place);
    const payload = addressIn(this.#arena, offset, length);
    queueSend(ring, fd, payload, length, this.#name(place), this.#nameLengths[place], place);
  }

  /** 0 where there is none: an empty name would be a wrong one. */
  #name(place: number): number {
    const name = addressIn(this.#kernel, place * SOCKADDR_BYTES, SOCKADDR_BYTES);
    return this.#nameLengths[place] === 0 ? 0 : name;
  }

  #checkPlace(place: number): void {
    if ((place | 0) !== place || place < 0 || place >= this.#places) throw new RangeError(`no place ${place}`);
  }

  /** Idempotent. Sends after it throw. */
  close(): void {
    this.#kernel.close();
  }
}
