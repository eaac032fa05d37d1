import { Arena, addressIn } from './arena.ts';
import { checkFd, libc, orThrow } from './libc.ts';
import { SOCKADDR_BYTES, decodeSockaddr, encodeSockaddr } from './sockaddr.ts';
import type { AddressFamily } from './sockaddr.ts';

/** Socket calls off the hot path: open, bind, options, close. */

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** A socket option: its level and its number. */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
}

export const SO_SNDBUF: SocketOption = { level: 1, name: 7 };
export const SO_RCVBUF: SocketOption = { level: 1, name: 8 };
/** As the two above, beyond net.core.wmem_max and rmem_max, for whoever has CAP_NET_ADMIN (socket(7)). */
export const SO_SNDBUFFORCE: SocketOption = { level: 1, name: 32 };
export const SO_RCVBUFFORCE: SocketOption = { level: 1, name: 33 };
const SO_BINDTODEVICE: SocketOption = { level: 1, name: 25 };
const SO_MEMINFO: SocketOption = { level: 1, name: 55 };
export const IP_TOS: SocketOption = { level: 0, name: 1 };
export const IPV6_TCLASS: SocketOption = { level: 41, name: 67 };
export const IPV6_V6ONLY: SocketOption = { level: 41, name: 26 };
export const UDP_SEGMENT: SocketOption = { level: 17, name: 103 };

/** linux/sock_diag.h: SK_MEMINFO_DROPS is the last of nine 32-bit words. */
const MEMINFO_BYTES = 36;
const MEMINFO_DROPS_OFFSET = 32;

const VALUE_OFFSET = 0;
const LENGTH_OFFSET = 40;
const ADDRESS_OFFSET = 48;
const SCRATCH_BYTES = ADDRESS_OFFSET + SOCKADDR_BYTES;

let scratchArena: Arena | undefined;

function scratch(): Arena {
  return scratchArena ?? (scratchArena = new Arena(SCRATCH_BYTES));
}

/** A non-blocking UDP socket, closed on exec. @throws SystemCallError (EMFILE, ENFILE, EAFNOSUPPORT, ...) */
export function openUdpSocket(family: AddressFamily): number {
  return orThrow('socket', libc().socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/** @throws SystemCallError (EADDRINUSE, EADDRNOTAVAIL, EACCES, ...) */
export function bindSocket(
  fd: number,
  family: AddressFamily,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  port: number,
): void {
  callWithAddress('bind', fd, family, w0, w1, w2, w3, port);
}

/** From now on it sends to that address without being told, by a route that is looked up once, and hears nobody else. @throws SystemCallError (ENETUNREACH, EHOSTUNREACH, ...) */
export function connectSocket(
  fd: number,
  family: AddressFamily,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  port: number,
): void {
  callWithAddress('connect', fd, family, w0, w1, w2, w3, port);
}

function callWithAddress(
  call: 'bind' | 'connect',
  fd: number,
  family: AddressFamily,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  port: number,
): void {
  checkFd(fd);
  const arena = scratch();
  const length = encodeSockaddr(arena.view, ADDRESS_OFFSET, family, w0, w1, w2, w3, port);
  orThrow(call, libc()[call](fd, addressIn(arena, ADDRESS_OFFSET, length), length));
}

/** The five words of the address a socket is bound to: w0, w1, w2, w3, port. @throws SystemCallError */
export function boundAddress(fd: number, words: Int32Array, at: number): void {
  checkFd(fd);
  const arena = scratch();
  arena.view.setUint32(LENGTH_OFFSET, SOCKADDR_BYTES, true);
  orThrow(
    'getsockname',
    libc().getsockname(fd, addressIn(arena, ADDRESS_OFFSET, SOCKADDR_BYTES), addressIn(arena, LENGTH_OFFSET, 4)),
  );
  decodeSockaddr(arena.view, ADDRESS_OFFSET, words, at);
}

/** @returns whether the kernel took it */
export function setSocketOption(fd: number, option: SocketOption, value: number): boolean {
  checkFd(fd);
  const arena = scratch();
  arena.view.setInt32(VALUE_OFFSET, value, true);
  return libc().setsockopt(fd, option.level, option.name, addressIn(arena, VALUE_OFFSET, 4), 4) === 0;
}

/** IFNAMSIZ less the NUL. */
const MAX_DEVICE_NAME_BYTES = 15;

/** Sends and receives by this device alone, whatever the routing tables say. `name`: ASCII. @throws SystemCallError (EPERM, ENODEV) */
export function bindToDevice(fd: number, name: string): void {
  checkFd(fd);
  if (name.length < 1 || name.length > MAX_DEVICE_NAME_BYTES) throw new RangeError(`${name} is not a device's name`);
  const { level, name: option } = SO_BINDTODEVICE;
  const arena = scratch();
  for (let i = 0; i < name.length; i++) arena.bytes[VALUE_OFFSET + i] = name.charCodeAt(i);
  const value = addressIn(arena, VALUE_OFFSET, name.length);
  orThrow('SO_BINDTODEVICE', libc().setsockopt(fd, level, option, value, name.length));
}

/** @returns the value, -1 if the kernel does not know the option */
export function socketOption(fd: number, option: SocketOption): number {
  return readOption(fd, option, 4) >= 0 ? scratch().view.getInt32(VALUE_OFFSET, true) : -1;
}

/** Datagrams dropped at this socket, for a full receive buffer or a bad checksum; -1 if the kernel cannot tell (before 4.12). */
export function socketDrops(fd: number): number {
  const length = readOption(fd, SO_MEMINFO, MEMINFO_BYTES);
  return length >= MEMINFO_BYTES ? scratch().view.getUint32(MEMINFO_DROPS_OFFSET, true) : -1;
}

/** @returns the bytes written at VALUE_OFFSET, -1 on failure */
function readOption(fd: number, option: SocketOption, byteLength: number): number {
  checkFd(fd);
  const arena = scratch();
  arena.view.setUint32(LENGTH_OFFSET, byteLength, true);
  const result = libc().getsockopt(
    fd,
    option.level,
    option.name,
    addressIn(arena, VALUE_OFFSET, byteLength),
    addressIn(arena, LENGTH_OFFSET, 4),
  );
  return result === 0 ? arena.view.getUint32(LENGTH_OFFSET, true) : -1;
}

/** Never retried: Linux frees the descriptor even if it reports EINTR. @returns whether it was open */
export function closeDescriptor(fd: number): boolean {
  checkFd(fd);
  return libc().close(fd) === 0;
}
