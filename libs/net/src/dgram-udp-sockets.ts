import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { NetError, netErrorFrom } from './errors.ts';
import type { NetCapabilities, UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { checkOptions } from './socket-options.ts';

export const DGRAM_CAPABILITIES: NetCapabilities = {
  implementation: 'dgram',
  blocking: false,
  tos: false,
  gso: false,
  kernelDrops: false,
};

/**
 * A node:dgram socket belongs to the thread that made it, so `open` only tries: it binds, reads what was granted, and
 * closes. `DgramPacketIo.attach` binds again, and finds out if somebody was faster.
 */
export class DgramUdpSockets implements UdpSockets {
  readonly capabilities = DGRAM_CAPABILITIES;
  #lastId = 0;

  async open(options: UdpSocketOptions): Promise<UdpSocketHandle> {
    const { receiveBufferBytes, sendBufferBytes, device, peer } = checkOptions(options);
    if (device !== undefined) throw new NetError('invalid-option', `device ${device}: node:dgram has no means for it`);
    const socket = await bindDgram(options.address, options.port, receiveBufferBytes, sendBufferBytes);
    const handle: UdpSocketHandle = {
      id: ++this.#lastId,
      implementation: 'dgram',
      fd: -1,
      address: options.address,
      port: socket.address().port,
      dscp: 0,
      receiveBufferBytes: socket.getRecvBufferSize(),
      sendBufferBytes: socket.getSendBufferSize(),
      ...(peer === undefined ? {} : { peer }),
    };
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    return handle;
  }

  /** Nothing is open here: detaching closes the socket. */
  close(): void {}

  kernelDrops(): number {
    return -1;
  }
}

/** @throws NetError */
export async function bindDgram(
  address: string,
  port: number,
  receiveBufferBytes: number,
  sendBufferBytes: number,
): Promise<Socket> {
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  const socket = createSocket({
    type,
    recvBufferSize: receiveBufferBytes,
    sendBufferSize: sendBufferBytes,
    // Addresses are literals: answering at once keeps a send within the call.
    lookup: (hostname, _options, callback) => callback(null, hostname, type === 'udp6' ? 6 : 4),
  });
  try {
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
    return socket;
  } catch (error) {
    closeQuietly(socket);
    throw netErrorFrom(`UDP socket on ${address} port ${port}`, error);
  }
}

/** A socket that failed to bind, or that is being closed, may say so by throwing. */
export function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // Already closed.
  }
}
