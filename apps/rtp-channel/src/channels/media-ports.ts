import { isUnspecified, parseSocketAddress, selectInterface } from '@mediaplane/net';
import type { NetInterface, PortPair, PortPool, UdpSockets } from '@mediaplane/net';

/** Where channels get their sockets from, by the name of their interface. */
export class MediaPorts {
  readonly #pool: PortPool;
  readonly #sockets: UdpSockets;
  readonly #interfaces: readonly NetInterface[];

  constructor(pool: PortPool, sockets: UdpSockets, interfaces: readonly NetInterface[]) {
    this.#pool = pool;
    this.#sockets = sockets;
    this.#interfaces = interfaces;
  }

  /** What a peer is told, and what another instance is told. */
  addresses(interfaceName: string): { advertised: string; private: string } {
    const { advertisedAddress, privateAddress } = selectInterface(this.#interfaces, interfaceName);
    return { advertised: advertisedAddress, private: privateAddress ?? advertisedAddress };
  }

  /** @throws NetError `ports-exhausted`, `too-many-files`, ... */
  openChannel(interfaceName: string): Promise<PortPair> {
    return this.#pool.acquire(selectInterface(this.#interfaces, interfaceName).bindAddress);
  }

  /**
   * For a leg to another instance: bound on the private address. A leg has no RTCP, but takes a pair: single ports would need an
   * order of their own for what is free and what rests, for calls that are few. Only the RTP socket stays open. @throws NetError
   */
  async openPeerLeg(interfaceName: string): Promise<PortPair> {
    const { bindAddress, privateAddress } = selectInterface(this.#interfaces, interfaceName);
    const bindsAll = isUnspecified(parseSocketAddress(bindAddress, 0));
    const pair = await this.#pool.acquire(bindsAll || privateAddress === undefined ? bindAddress : privateAddress);
    this.#sockets.close(pair.rtcp);
    return pair;
  }

  /** Both sockets must have been detached from their media thread, or it is gone. */
  release(pair: PortPair): void {
    this.#pool.release(pair);
  }

  /** Datagrams that the kernel dropped, on both sockets; -1 where the system cannot tell. */
  kernelDrops({ rtp, rtcp }: PortPair): number {
    const drops = this.#sockets.kernelDrops(rtp);
    return drops < 0 ? -1 : drops + Math.max(this.#sockets.kernelDrops(rtcp), 0);
  }
}

/** Interfaces by name, as the rules of settings want them. */
export function ipVersions(interfaces: readonly NetInterface[]): Map<string, 4 | 6> {
  return new Map(interfaces.map(({ name, bindAddress }) => [name, parseSocketAddress(bindAddress, 0).isIpv4 ? 4 : 6]));
}
