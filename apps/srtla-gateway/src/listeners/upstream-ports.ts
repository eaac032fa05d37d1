import { randomInt } from 'node:crypto';
import { NetError } from '@mediaplane/net';
import type { AddressWords, UdpSocketHandle, UdpSocketOptions, UdpSockets } from '@mediaplane/net';

/** Ports that one `open` tries: with half of the range in others' hands it fails once in 2^64 times. */
const MAX_TRIES = 64;

export interface UpstreamPortsOptions {
  readonly sockets: UdpSockets;
  /** Both inclusive. */
  readonly minPort: number;
  readonly maxPort: number;
  readonly socketOptions: Pick<UdpSocketOptions, 'dscp' | 'receiveBufferBytes' | 'sendBufferBytes'>;
}

/**
 * The ports that groups reach their SRT servers from, in random order at first, then the one released longest ago: to a server the port
 * is the peer, and one that is used again soon could be taken for the group before. They lie outside the ephemeral range, so that a group
 * gets its port back when the process is started again.
 */
export class UpstreamPorts {
  readonly size: number;
  readonly #options: UpstreamPortsOptions;
  /** Not in use; the next one first. */
  readonly #free: number[];
  readonly #held = new Map<UdpSocketHandle['id'], number>();

  constructor(options: UpstreamPortsOptions) {
    const { minPort, maxPort } = options;
    this.#options = options;
    this.size = maxPort - minPort + 1;
    this.#free = shuffled(minPort, this.size);
  }

  get used(): number {
    return this.#held.size;
  }

  /** @throws NetError ports-exhausted, or what the system said */
  async open(address: string, server: AddressWords): Promise<UdpSocketHandle> {
    for (let tries = Math.min(MAX_TRIES, this.#free.length); tries > 0; tries -= 1) {
      const port = this.#free.shift();
      if (port === undefined) break;
      try {
        return await this.#bind(address, port, server);
      } catch (error) {
        this.#free.push(port);
        if (!(error instanceof NetError) || error.code !== 'address-in-use') throw error;
      }
    }
    const { minPort, maxPort } = this.#options;
    throw new NetError('ports-exhausted', `no free port in ${minPort} to ${maxPort}: ${this.used} are in use`);
  }

  /** The very port that a server knows a group by; it need not lie in the range. @throws NetError */
  async reopen(address: string, port: number, server: AddressWords): Promise<UdpSocketHandle> {
    const at = this.#free.indexOf(port);
    if (at >= 0) this.#free.splice(at, 1);
    try {
      return await this.#bind(address, port, server);
    } catch (error) {
      if (at >= 0) this.#free.push(port);
      throw error;
    }
  }

  /** Closes the socket, which must have been detached. Idempotent. */
  release(socket: UdpSocketHandle): void {
    const port = this.#held.get(socket.id);
    if (port === undefined) return;
    this.#held.delete(socket.id);
    this.#options.sockets.close(socket);
    const { minPort, maxPort } = this.#options;
    if (port >= minPort && port <= maxPort) this.#free.push(port);
  }

  async #bind(address: string, port: number, server: AddressWords): Promise<UdpSocketHandle> {
    // What the links of a group bring in one pass goes to the server in one call.
    const options = { ...this.#options.socketOptions, address, port, peer: server, segmentRuns: true };
    const socket = await this.#options.sockets.open(options);
    this.#held.set(socket.id, port);
    return socket;
  }
}

/** `size` ports from `first` on in random order (Fisher and Yates). */
function shuffled(first: number, size: number): number[] {
  const ports = Array.from({ length: size }, (_, index) => first + index);
  for (let last = size - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [ports[last], ports[other]] = [ports[other], ports[last]];
  }
  return ports;
}
