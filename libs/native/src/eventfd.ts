import { Arena, addressIn } from './arena.ts';
import { checkFd, libc, orThrow } from './libc.ts';

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

let value: Arena | undefined;

/** A counter that wakes whoever polls its descriptor. @throws SystemCallError */
export function openEventfd(): number {
  return orThrow('eventfd', libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/** Adds one, from any thread. @returns false if the descriptor is closed; a full counter (EAGAIN) wakes all the same */
export function ringEventfd(fd: number): boolean {
  checkFd(fd);
  return libc().eventfd_write(fd, 1) === 0;
}

/** Sets the counter to zero. @returns whether it had been rung */
export function drainEventfd(fd: number): boolean {
  checkFd(fd);
  value ??= new Arena(8);
  return libc().eventfd_read(fd, addressIn(value, 0, 8)) === 0;
}
