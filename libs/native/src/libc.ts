import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { NativeUnavailableError, SystemCallError } from './errors.ts';

/**
 * The C functions as koffi binds them: plain numbers only (a koffi call then costs about 20 ns), addresses included.
 * Private to this library; what it exports takes arenas and offsets, and checks them.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  connect(fd: number, address: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  recvfrom(fd: number, buffer: number, length: number, flags: number, address: number, addressLength: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  sendto(fd: number, buffer: number, length: number, flags: number, address: number, addressLength: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: number): number;
  epoll_wait(epoll: number, events: number, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  eventfd_read(fd: number, value: number): number;
  eventfd_write(fd: number, value: number): number;
  syscall(number: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number;
  munmap(address: number, length: number): number;
  close(fd: number): number;
  if_indextoname(index: number, name: number): number;
  usleep(microseconds: number): number;
  /** A fresh address for a buffer; a Number because user space ends below 2^53. */
  addressOf(buffer: ArrayBuffer): number;
  /** Memory of the C side as a buffer, which must not be used once the memory is given back. */
  memoryAt(address: number, byteLength: number): ArrayBuffer;
  errno(): number;
}

/** koffi's type names are global to the process, workers too, so only built-in types appear here. */
const PROTOTYPES = [
  'int socket(int, int, int)',
  'int bind(int, uintptr_t, uint32_t)',
  'int connect(int, uintptr_t, uint32_t)',
  'int getsockname(int, uintptr_t, uintptr_t)',
  'int setsockopt(int, int, int, uintptr_t, uint32_t)',
  'int getsockopt(int, int, int, uintptr_t, uintptr_t)',
  'intptr_t recvfrom(int, uintptr_t, size_t, int, uintptr_t, uintptr_t)',
  'int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)',
  'intptr_t sendto(int, uintptr_t, size_t, int, uintptr_t, uint32_t)',
  'intptr_t sendmsg(int, uintptr_t, int)',
  'int epoll_create1(int)',
  'int epoll_ctl(int, int, int, uintptr_t)',
  'int epoll_wait(int, uintptr_t, int, int)',
  'int eventfd(uint32_t, int)',
  'int eventfd_read(int, uintptr_t)',
  'int eventfd_write(int, uint64_t)',
  'intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t)',
  'intptr_t mmap(uintptr_t, size_t, int, int, int, intptr_t)',
  'int munmap(uintptr_t, size_t)',
  'int close(int)',
  'uintptr_t if_indextoname(uint32_t, uintptr_t)',
  'int usleep(uint32_t)',
];

/** glibc first, then musl's name on this architecture. */
export function libcNames(arch: string): string[] {
  return ['libc.so.6', `libc.musl-${arch === 'x64' ? 'x86_64' : arch === 'arm64' ? 'aarch64' : arch}.so.1`];
}

let loaded: Libc | undefined;

/** The C library, loaded at first use in each thread, so that a process on `node:dgram` never loads koffi. @throws NativeUnavailableError */
export function libc(): Libc {
  return loaded ?? (loaded = load());
}

function load(): Libc {
  if (process.platform !== 'linux') throw new NativeUnavailableError(`no native sockets on ${process.platform}`);
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const library = openFirst(koffi, libcNames(process.arch));
  const bound: Record<string, unknown> = {};
  for (const prototype of PROTOTYPES) {
    const name = prototype.slice(prototype.indexOf(' ') + 1, prototype.indexOf('('));
    bound[name] = library.func(prototype);
  }
  bound.addressOf = (buffer: ArrayBuffer) => Number(koffi.address(buffer));
  bound.memoryAt = koffi.view;
  bound.errno = koffi.errno;
  return bound as unknown as Libc;
}

function openFirst(koffi: typeof Koffi, names: string[]): Koffi.LibraryHandle {
  let cause: unknown;
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      cause = error;
    }
  }
  throw new NativeUnavailableError(`no C library found as ${names.join(' or ')}`, { cause });
}

/** @throws RangeError unless `fd` is an integer from 0: koffi would turn NaN into 0, which is standard input. */
export function checkFd(fd: number): void {
  if ((fd | 0) !== fd || fd < 0) throw new RangeError(`${fd} is not a file descriptor`);
}

/** For calls off the hot path. @throws SystemCallError */
export function orThrow(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, libc().errno());
  return result;
}
