import { Arena, addressIn } from './arena.ts';
import { Errno } from './errno.ts';
import { checkFd, libc, orThrow } from './libc.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLLIN = 1;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;

export interface EpollEventLayout {
  readonly byteLength: number;
  /** Where the 64-bit `data` starts; `events`, 32 bits, is at 0. */
  readonly dataOffset: number;
}

/** `struct epoll_event` is packed on x64 alone (EPOLL_PACKED in linux/eventpoll.h); elsewhere `data` is aligned to 8. */
export function epollEventLayout(arch: string): EpollEventLayout {
  return arch === 'x64' ? { byteLength: 12, dataOffset: 4 } : { byteLength: 16, dataOffset: 8 };
}

/**
 * One epoll set, level-triggered, input only. Linux puts a descriptor that it reported to the end of its ready list, so
 * when more are ready than `maxEvents`, successive waits take turns through all of them.
 */
export class Epoll {
  readonly #fd: number;
  readonly #arena: Arena;
  readonly #maxEvents: number;
  readonly #layout = epollEventLayout(process.arch);
  readonly #eventBytes = this.#layout.byteLength;
  readonly #dataOffset = this.#layout.dataOffset;
  /** One event more, for `add`. */
  readonly #spareOffset: number;
  #open = true;

  /** @throws SystemCallError, RangeError */
  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
    this.#spareOffset = maxEvents * this.#eventBytes;
    this.#arena = new Arena(this.#spareOffset + this.#eventBytes);
    this.#fd = orThrow('epoll_create1', libc().epoll_create1(EPOLL_CLOEXEC));
  }

  /** For whoever has to close it when the thread that made it has died. */
  get descriptor(): number {
    return this.#fd;
  }

  /** `token`: 0 to 2^31 - 1, given back by `token(i)`. @throws SystemCallError */
  add(fd: number, token: number): void {
    checkFd(fd);
    const { view } = this.#arena;
    view.setUint32(this.#spareOffset, EPOLLIN, true);
    view.setInt32(this.#spareOffset + this.#dataOffset, token, true);
    view.setInt32(this.#spareOffset + this.#dataOffset + 4, 0, true);
    const event = addressIn(this.#arena, this.#spareOffset, this.#eventBytes);
    orThrow('epoll_ctl', libc().epoll_ctl(this.#fd, EPOLL_CTL_ADD, fd, event));
  }

  /** @returns false if it was not there, for instance because the descriptor is closed */
  remove(fd: number): boolean {
    checkFd(fd);
    return this.#open && libc().epoll_ctl(this.#fd, EPOLL_CTL_DEL, fd, 0) === 0;
  }

  /** Waits up to `timeoutMs`, 0 to poll. @returns how many are ready (0 also when a signal interrupts), or -errno */
  wait(timeoutMs: number): number {
    const events = addressIn(this.#arena, 0, this.#spareOffset);
    const result = libc().epoll_wait(this.#fd, events, this.#maxEvents, timeoutMs);
    if (result >= 0) return result;
    const errno = libc().errno();
    return errno === Errno.EINTR ? 0 : -errno;
  }

  /** The token of ready descriptor `index` of the last wait. */
  token(index: number): number {
    return this.#arena.view.getInt32(index * this.#eventBytes + this.#dataOffset, true);
  }

  /** Idempotent. Waits after it throw. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.#fd);
    this.#arena.close();
  }
}
