import { NetError } from './errors.ts';
import type { UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { inRange } from './socket-options.ts';

export const DEFAULT_MIN_PORT = 10_000;
export const DEFAULT_MAX_PORT = 29_999;
export const DEFAULT_QUIET_MS = 2000;

/**
 * How many pairs one `acquire` tries. With nine tenths of the range in other processes' hands all of them fail once in
 * 700,000 times; with the whole range taken the refusal costs some 2 ms.
 */
const MAX_TRIES = 128;

/** RTP on an even port, RTCP on the next (RFC 3550 11). */
export interface PortPair {
  readonly rtp: UdpSocketHandle;
  readonly rtcp: UdpSocketHandle;
}

export interface PortPoolOptions {
  readonly sockets: UdpSockets;
  /** Both inclusive; the pool takes the even ports whose successor is inside too. */
  readonly minPort?: number;
  readonly maxPort?: number;
  /** A released pair is not given out again for so long, so that late packets of the old call find nobody. */
  readonly quietMs?: number;
  readonly socketOptions?: Pick<UdpSocketOptions, 'dscp' | 'receiveBufferBytes' | 'sendBufferBytes'>;
  /** From 0 to below 1, as `Math.random`. */
  readonly random: () => number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/**
 * Pairs of RTP and RTCP ports, bound when they are given out.
 *
 * - Order: a random permutation at first, then the one released longest ago. Random, so that pods which share a host
 *   seldom meet at the same ports and nobody can tell the next port from the last (RFC 6056 3.3).
 * - A pair of which another process holds a port rests like a released one, and the next is tried, `MAX_TRIES` at most. So
 *   nobody waits for a port and every pair gets its turn again. SO_REUSEPORT is never set: two pods would share a call.
 * - Any other refusal (EMFILE, a bind address that is not ours) costs the pair nothing and is thrown at once.
 *
 * Every operation takes constant time. One ring holds all pairs that are not in use: `#readyCount` ready ones from `#head`
 * on, then `#quietCount` resting ones in the order of their release.
 */
export class PortPool {
  /** Pairs in the range. */
  readonly size: number;
  readonly #options: PortPoolOptions;
  readonly #quietMs: number;
  readonly #ring: Uint16Array;
  /** When the pair in each ring place began to rest. */
  readonly #restingSinceMs: Float64Array;
  #head = 0;
  #readyCount: number;
  #quietCount = 0;
  readonly #held = new Map<number, PortPair>();

  /** @throws NetError invalid-option */
  constructor(options: PortPoolOptions) {
    const minPort = inRange('minPort', options.minPort ?? DEFAULT_MIN_PORT, 1, 65_535);
    const maxPort = inRange('maxPort', options.maxPort ?? DEFAULT_MAX_PORT, 1, 65_535);
    const first = minPort + (minPort % 2);
    this.size = Math.floor((maxPort + 1 - first) / 2);
    if (this.size < 1)
      throw new NetError('invalid-option', `ports ${minPort} to ${maxPort} hold no pair of RTP and RTCP`);
    this.#options = options;
    this.#quietMs = inRange('quietMs', options.quietMs ?? DEFAULT_QUIET_MS, 0, 3_600_000);
    this.#ring = shuffled(first, this.size, options.random);
    this.#restingSinceMs = new Float64Array(this.size);
    this.#readyCount = this.size;
  }

  /** Pairs in use or being bound. */
  get used(): number {
    return this.size - this.#readyCount - this.#quietCount;
  }

  /** Pairs that could be tried now. */
  get available(): number {
    this.#endRests();
    return this.#readyCount;
  }

  /** Binds both sockets. @throws NetError ports-exhausted, or what the system said */
  async acquire(bindAddress: string): Promise<PortPair> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const port = this.#take();
      if (port === undefined) break;
      try {
        const pair = await this.#bind(bindAddress, port);
        this.#held.set(port, pair);
        return pair;
      } catch (error) {
        if (!(error instanceof NetError) || error.code !== 'address-in-use') {
          this.#putBack(port);
          throw error;
        }
        this.#rest(port);
      }
    }
    const { minPort = DEFAULT_MIN_PORT, maxPort = DEFAULT_MAX_PORT } = this.#options;
    throw new NetError(
      'ports-exhausted',
      `no free pair in ports ${minPort} to ${maxPort}: ${this.used} of ${this.size} in use, ${this.#quietCount} resting or held by others`,
    );
  }

  async #bind(address: string, port: number): Promise<PortPair> {
    const { sockets, socketOptions } = this.#options;
    const rtp = await sockets.open({ ...socketOptions, address, port });
    try {
      return { rtp, rtcp: await sockets.open({ ...socketOptions, address, port: port + 1 }) };
    } catch (error) {
      sockets.close(rtp);
      throw error;
    }
  }

  /** Closes both sockets and lets the pair rest. Idempotent; both must have been detached. */
  release(pair: PortPair): void {
    const { port } = pair.rtp;
    if (this.#held.get(port)?.rtp.id !== pair.rtp.id) return;
    this.#held.delete(port);
    this.#options.sockets.close(pair.rtp);
    this.#options.sockets.close(pair.rtcp);
    this.#rest(port);
  }

  #take(): number | undefined {
    this.#endRests();
    if (this.#readyCount === 0) return undefined;
    const port = this.#ring[this.#head];
    this.#head = (this.#head + 1) % this.size;
    this.#readyCount -= 1;
    return port;
  }

  #putBack(port: number): void {
    this.#head = (this.#head + this.size - 1) % this.size;
    this.#ring[this.#head] = port;
    this.#readyCount += 1;
  }

  #rest(port: number): void {
    const place = (this.#head + this.#readyCount + this.#quietCount) % this.size;
    this.#ring[place] = port;
    this.#restingSinceMs[place] = this.#options.nowMs();
    this.#quietCount += 1;
  }

  #endRests(): void {
    const restedSinceMs = this.#options.nowMs() - this.#quietMs;
    while (this.#quietCount > 0) {
      if (this.#restingSinceMs[(this.#head + this.#readyCount) % this.size] > restedSinceMs) return;
      this.#readyCount += 1;
      this.#quietCount -= 1;
    }
  }
}

/** `size` even ports from `first` on in random order (Fisher and Yates). */
function shuffled(first: number, size: number, random: () => number): Uint16Array {
  const ports = Uint16Array.from({ length: size }, (_, index) => first + 2 * index);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const port = ports[last];
    ports[last] = ports[other];
    ports[other] = port;
  }
  return ports;
}
