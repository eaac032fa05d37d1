import {
  AF_INET,
  AF_INET6,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  IP_TOS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SystemCallError,
  bindSocket,
  bindToDevice,
  boundAddress,
  closeDescriptor,
  connectSocket,
  openUdpSocket,
  setSocketOption,
  socketDrops,
  socketOption,
} from '@mediaplane/native';
import type { AddressFamily, SocketOption } from '@mediaplane/native';
import { netErrorFrom } from './errors.ts';
import { nativeCapabilities } from './native-capabilities.ts';
import type { NetCapabilities, UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { SOURCE_WORDS } from './socket-address.ts';
import type { AddressWords } from './socket-address.ts';
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
  readonly #receiveSizes = new BufferSizes(SO_RCVBUF, SO_RCVBUFFORCE);
  readonly #sendSizes = new BufferSizes(SO_SNDBUF, SO_SNDBUFFORCE);
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
      const by = checked.device === undefined ? '' : ` by device ${checked.device}`;
      throw netErrorFrom(`UDP socket on ${options.address} port ${options.port}${by}`, error);
    }
  }

  #configure(fd: number, family: AddressFamily, options: UdpSocketOptions, checked: CheckedOptions): UdpSocketHandle {
    const { w0, w1, w2, w3, port } = checked.address;
    if (family === AF_INET6) setSocketOption(fd, IPV6_V6ONLY, 0);
    if (checked.device !== undefined) bindToDevice(fd, checked.device);
    bindSocket(fd, family, w0, w1, w2, w3, port);
    const { peer } = checked;
    const isConnected = peer !== undefined && connect(fd, family, peer);
    return {
      id: ++this.#lastId,
      implementation: 'native',
      fd,
      address: options.address,
      port: port === 0 ? this.#boundPort(fd) : port,
      dscp: setDscp(fd, family, checked.dscp) ? checked.dscp : 0,
      receiveBufferBytes: this.#receiveSizes.apply(fd, checked.receiveBufferBytes),
      sendBufferBytes: this.#sendSizes.apply(fd, checked.sendBufferBytes),
      segmentRuns: options.segmentRuns === true && this.capabilities.gso,
      ...(isConnected ? { peer } : {}),
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

/** Sizes of one of a socket's buffers. The kernel's answer is read the first time that a size is asked for: it stays the same. */
class BufferSizes {
  readonly #plain: SocketOption;
  readonly #forced: SocketOption;
  readonly #known = new Map<number, { readonly option: SocketOption; readonly grantedBytes: number }>();

  constructor(plain: SocketOption, forced: SocketOption) {
    this.#plain = plain;
    this.#forced = forced;
  }

  /** @returns what the kernel grants */
  apply(fd: number, askedBytes: number): number {
    const known = this.#known.get(askedBytes);
    if (known === undefined) return this.#learn(fd, askedBytes);
    setSocketOption(fd, known.option, askedBytes);
    return known.grantedBytes;
  }

  /** Only what is cut at the system's limit needs the option that asks for a capability. */
  #learn(fd: number, askedBytes: number): number {
    setSocketOption(fd, this.#plain, askedBytes);
    const isCut = socketOption(fd, this.#plain) < 2 * askedBytes;
    const option = isCut && setSocketOption(fd, this.#forced, askedBytes) ? this.#forced : this.#plain;
    const grantedBytes = Math.max(socketOption(fd, this.#plain), 0);
    this.#known.set(askedBytes, { option, grantedBytes });
    return grantedBytes;
  }
}

/** Returns whether there is a way to it. */
function connect(fd: number, family: AddressFamily, { w0, w1, w2, w3, port }: AddressWords): boolean {
  try {
    connectSocket(fd, family, w0, w1, w2, w3, port);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}

function setDscp(fd: number, family: AddressFamily, dscp: number): boolean {
  // On an IPv6 socket IP_TOS marks what goes to v4-mapped addresses.
  const tos = setSocketOption(fd, IP_TOS, dscp << DSCP_SHIFT);
  return family === AF_INET ? tos : setSocketOption(fd, IPV6_TCLASS, dscp << DSCP_SHIFT);
}
