import { NetError, formatSocketAddress, isUnspecified, parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { AddressWords, NetInterface, UdpSocketHandle, UdpSocketOptions, UdpSockets } from '@mediaplane/net';
import { ConfigError } from '@mediaplane/service';
import type { RelayKeys } from '../tokens/relay-seals.ts';

/** Ports from the configured one on that are tried: one is taken by each listener. */
export const RELAY_PORTS = 64;

export interface RelayNetworkOptions {
  readonly sockets: UdpSockets;
  readonly interfaces: readonly NetInterface[];
  readonly dscp: number;
  /** Of a relay socket, to which all links come; and of the socket of one link. */
  readonly ownerBufferBytes: number;
  readonly linkBufferBytes: number;
  /** Of the first listener's relay socket; 0: the system chooses. */
  readonly port: number;
  readonly keys: RelayKeys;
  readonly maxPacketsPerSecond: number;
}

/** Sockets by which instances hand links on to each other. They are bound to one address, which the HELLOs prove. */
export class RelayNetwork {
  readonly keys: RelayKeys;
  readonly maxPacketsPerSecond: number;
  readonly #options: RelayNetworkOptions;

  /** @throws ConfigError for an interface whose address on the private network is not known */
  constructor(options: RelayNetworkOptions) {
    this.#options = options;
    this.keys = options.keys;
    this.maxPacketsPerSecond = options.maxPacketsPerSecond;
    for (const [index, networkInterface] of options.interfaces.entries()) {
      if (privateAddress(networkInterface) !== undefined) continue;
      throw new ConfigError(
        `configuration: net.interfaces[${index}].privateAddress: must be set with relay.keyFile where bindAddress is ${networkInterface.bindAddress}`,
      );
    }
  }

  /** Where others hand on to. Rejects with NetError. */
  async openOwnerSocket(interfaceName: string): Promise<UdpSocketHandle> {
    const { port } = this.#options;
    for (let tried = 0; port > 0 && tried < RELAY_PORTS; tried += 1) {
      try {
        return await this.#open(interfaceName, this.#ofOwner(port + tried));
      } catch (error) {
        const isTaken = error instanceof NetError && error.code === 'address-in-use';
        if (!isTaken || tried === RELAY_PORTS - 1) throw error;
      }
    }
    return this.#open(interfaceName, this.#ofOwner(0));
  }

  /** By which one link is handed on. Rejects with NetError. */
  async openLinkSocket(interfaceName: string, owner: AddressWords): Promise<UdpSocketHandle> {
    const { linkBufferBytes: bytes } = this.#options;
    return this.#open(interfaceName, {
      port: 0,
      receiveBufferBytes: bytes,
      sendBufferBytes: bytes,
      // What the link brings in one pass goes on in one call.
      segmentRuns: true,
      peer: owner,
    });
  }

  close(socket: UdpSocketHandle): void {
    this.#options.sockets.close(socket);
  }

  #ofOwner(port: number): Omit<UdpSocketOptions, 'address'> {
    const { ownerBufferBytes: bytes } = this.#options;
    return { port, receiveBufferBytes: bytes, sendBufferBytes: bytes };
  }

  #open(interfaceName: string, options: Omit<UdpSocketOptions, 'address'>): Promise<UdpSocketHandle> {
    const { sockets, interfaces, dscp } = this.#options;
    const networkInterface = interfaces.find(({ name }) => name === interfaceName);
    const address = networkInterface === undefined ? undefined : privateAddress(networkInterface);
    if (address === undefined) throw new Error(`no private address on ${interfaceName}`);
    return sockets.open({ ...options, address, dscp });
  }
}

/** Key of a listener's relay address in its instance's heartbeats. */
export function relayPurpose(listenerName: string): string {
  return `srtla-relay.${listenerName}`;
}

export function socketAddress({ address, port }: UdpSocketHandle): AddressWords {
  return plainAddress(parseSocketAddress(address, port));
}

export function socketText(socket: UdpSocketHandle): string {
  return formatSocketAddress(socketAddress(socket));
}

/** What `socketText` has written; undefined for anything else. */
export function parseSocketText(text: string): AddressWords | undefined {
  const match = /^\[?([^\]]+)\]?:(\d+)$/.exec(text);
  try {
    return match === null ? undefined : plainAddress(parseSocketAddress(match[1], Number(match[2])));
  } catch {
    return undefined;
  }
}

function privateAddress({ privateAddress: address, bindAddress }: NetInterface): string | undefined {
  if (address !== undefined) return address;
  return isUnspecified(parseSocketAddress(bindAddress, 0)) ? undefined : bindAddress;
}
