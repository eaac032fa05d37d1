/**
 * The only FFI of mediaplane: Linux libc through koffi, for UDP sockets, epoll, io_uring, eventfd and
 * routes. Everything that takes memory
 * takes an `Arena` with an offset and a length and checks them (RangeError), so that no mistake of a caller crashes the
 * process. Calls of the hot path return `-errno`; the others throw `SystemCallError`. Nothing is loaded before first use.
 */
export { Arena } from './arena.ts';
export { Epoll, epollEventLayout } from './epoll.ts';
export type { EpollEventLayout } from './epoll.ts';
export { Errno, errnoName } from './errno.ts';
export { NativeUnavailableError, SystemCallError } from './errors.ts';
export { drainEventfd, openEventfd, ringEventfd } from './eventfd.ts';
export { DatagramReceiver } from './receive.ts';
export type { SlotLayout } from './receive.ts';
export { deviceName, queryRoute } from './route.ts';
export type { RouteReply } from './route.ts';
export { SegmentRun } from './segment-run.ts';
export { DatagramSender } from './send.ts';
export { sleepUs } from './sleep.ts';
export { SubmissionRing } from './submission-ring.ts';
export { AF_INET, AF_INET6, TO_PEER } from './sockaddr.ts';
export type { AddressFamily, DestinationFamily } from './sockaddr.ts';
export {
  IPV6_TCLASS,
  IPV6_V6ONLY,
  IP_TOS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  UDP_SEGMENT,
  bindSocket,
  bindToDevice,
  boundAddress,
  closeDescriptor,
  connectSocket,
  openUdpSocket,
  setSocketOption,
  socketDrops,
  socketOption,
} from './socket.ts';
export type { SocketOption } from './socket.ts';
