import {
  AF_INET,
  AF_INET6,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  IP_TOS,
  SO_RCVBUF,
  SO_SNDBUF,
  bindSocket,
  boundAddress,
  closeDescriptor,
  openUdpSocket,
  setSocketOption,
  socketDrops,
  socketOption,
} from '@mediaplane/native';
import type { AddressFamily } from '@mediaplane/native';
import { netErrorFrom } from './errors.ts';
import { nativeCapabilities } from './native-capabilities.ts';
import type { NetCapabilities, UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { SOURCE_WORDS } from './socket-address.ts';
import { checkOptions } from './socket-options.ts';
import type { CheckedOptions } from './socket-options.ts';

const PORT_WORD = 4;

/** DSCP is the upper six bits of the TOS and traffic class bytes (RFC 2474); the lower two are ECN's. */
const DSCP_SHIFT = 2;

/** Opens and closes descriptors. IPv6 sockets are dual-stack: an IPv4 peer shows as its v4-mapped address. */
export class NativeUdpSockets implements UdpSockets {
  readonly capabilities: NetCapabilities = nativeCapabilities();
  /** Descriptors of open handles, by handle id. */
  readonly #open = new Map<number, number>();
  /** Of the sizes that were asked for: what the kernel granted, which for one size is the same each time. */
  readonly #receiveBytesGranted = new Map<number, number>();
  readonly #sendBytesGranted = new Map<number, number>();
  readonly #bound = new Int32Array(SOURCE_WORDS);
  #lastId = 0;

  async open(options: UdpSocketOptions): Promise<UdpSocketHandle> {
    const checked = checkOptions(options);
    const family = options.address.includes(':') ? AF_INET6 : AF_INET;
    let fd = -1;
    try {
      fd = openUdpSocket(family);
      const handle = this.#configure(fd, family, options, checked);
      this.#open.set(handle.id, fd);
      return handle;
    } catch (error) {
      if (fd >= 0) closeDescriptor(fd);
      throw netErrorFrom(`UDP socket on ${options.address} port ${options.port}`, error);
    }
  }

  #configure(fd: number, family: AddressFamily, options: UdpSocketOptions, checked: CheckedOptions): UdpSocketHandle {
    const { w0, w1, w2, w3, port } = checked.address;
    if (family === AF_INET6) setSocketOption(fd, IPV6_V6ONLY, 0);
    bindSocket(fd, family, w0, w1, w2, w3, port);
    return {
      id: ++this.#lastId,
      implementation: 'native',
      fd,
      address: options.address,
      port: port === 0 ? this.#boundPort(fd) : port,
      dscp: setDscp(fd, family, checked.dscp) ? checked.dscp : 0,
      receiveBufferBytes: sizeBuffer(fd, SO_RCVBUF, checked.receiveBufferBytes, this.#receiveBytesGranted),
      sendBufferBytes: sizeBuffer(fd, SO_SNDBUF, checked.sendBufferBytes, this.#sendBytesGranted),
      segmentRuns: options.segmentRuns === true && this.capabilities.gso,
    };
  }

  #boundPort(fd: number): number {
    boundAddress(fd, this.#bound, 0);
    return this.#bound[PORT_WORD];
  }

  close(handle: UdpSocketHandle): void {
    const fd = this.#open.get(handle.id);
    if (fd === undefined) return;
    this.#open.delete(handle.id);
    closeDescriptor(fd);
  }

  kernelDrops(handle: UdpSocketHandle): number {
    const fd = this.#open.get(handle.id);
    return fd === undefined ? -1 : socketDrops(fd);
  }
}

/** Returns what the kernel grants: its answer is read the first time that a size is asked for. */
function sizeBuffer(
  fd: number,
  option: typeof SO_RCVBUF | typeof SO_SNDBUF,
  askedBytes: number,
  granted: Map<number, number>,
): number {
  setSocketOption(fd, option, askedBytes);
  let grantedBytes = granted.get(askedBytes);
  if (grantedBytes === undefined) {
    grantedBytes = Math.max(socketOption(fd, option), 0);
    granted.set(askedBytes, grantedBytes);
  }
  return grantedBytes;
}

function setDscp(fd: number, family: AddressFamily, dscp: number): boolean {
  // On an IPv6 socket IP_TOS marks what goes to v4-mapped addresses.
  const tos = setSocketOption(fd, IP_TOS, dscp << DSCP_SHIFT);
  return family === AF_INET ? tos : setSocketOption(fd, IPV6_TCLASS, dscp << DSCP_SHIFT);
}
