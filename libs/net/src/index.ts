/**
 * UDP for media threads. A control thread opens sockets (`createUdpSockets`, `PortPool`); a media thread attaches them to
 * its `PacketIo`, receives batches into one arena and sends from it. Two implementations with one behaviour: epoll through
 * libs/native, and node:dgram where that cannot be. Addresses are four words and a port (`SocketAddress`), never strings.
 */
export { AddressTable } from './address-table.ts';
export { formatIp, formatSocketAddress, isUnspecified, parseIpInto, parseSocketAddress } from './address-text.ts';
export { bufferShortages } from './buffer-shortage.ts';
export { closeDoorbell, closeLeftDescriptors, createDoorbell, ring } from './doorbell.ts';
export { NetError } from './errors.ts';
export type { NetErrorCode } from './errors.ts';
export { createPacketIo, createUdpSockets, defaultImplementation } from './implementation.ts';
export { parseInterfaces, selectInterface } from './interfaces.ts';
export type { NetInterface } from './interfaces.ts';
export * from './packet-io.ts';
export { DEFAULT_MAX_PORT, DEFAULT_MIN_PORT, DEFAULT_QUIET_MS, PortPool } from './port-pool.ts';
export type { PortPair, PortPoolOptions } from './port-pool.ts';
export { routeOf } from './route.ts';
export type { Route } from './route.ts';
export * from './socket-address.ts';
