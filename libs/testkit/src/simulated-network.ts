import { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** How datagrams fare from one host to another. */
export interface LinkConditions {
  /** Time that every datagram takes at least; default 0. */
  readonly latencyUs?: number;
  /** Up to so much more, evenly spread; default 0. Does not reorder. */
  readonly jitterUs?: number;
  /** Probabilities from 0 to 1; default 0. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** A datagram that takes `reorderUs` longer and may be overtaken. */
  readonly reorder?: number;
  /** Default 30 ms. */
  readonly reorderUs?: number;
}

export interface NetworkCounters {
  sent: number;
  delivered: number;
  duplicated: number;
  lost: number;
  /** Stopped by a partition, when sent or under way. */
  partitioned: number;
  /** Came to a port where nobody listens, or to a NAT without a mapping. */
  unreachable: number;
}

export type DatagramListener = (payload: Uint8Array, from: Endpoint) => void;

export interface SimulatedSocket {
  readonly local: Endpoint;
  send(payload: Uint8Array, to: Endpoint): void;
  close(): void;
}

const DEFAULT_REORDER_US = 30_000;
const FIRST_NAT_PORT = 40_000;

/**
 * UDP between hosts that exist only in this process, on a virtual clock: the same seed gives the same run, to the byte and
 * microsecond. A host is an address. Without conditions a datagram arrives at the time it was sent, after what is running.
 */
export class SimulatedNetwork {
  readonly counters: NetworkCounters = {
    sent: 0,
    delivered: 0,
    duplicated: 0,
    lost: 0,
    partitioned: 0,
    unreachable: 0,
  };
  private readonly clock: VirtualClock;
  private readonly random: SeededRandom;
  private readonly listeners = new Map<string, DatagramListener>();
  private readonly links = new Map<string, LinkConditions>();
  private readonly nats = new Map<string, Nat>();
  private readonly lastArrivalUs = new Map<string, number>();
  private conditions: LinkConditions = {};
  private islands: readonly ReadonlySet<string>[] = [];

  constructor(clock: VirtualClock, seed: number) {
    this.clock = clock;
    this.random = new SeededRandom(seed);
  }

  /** @throws Error when somebody listens there already. */
  bind(local: Endpoint, onDatagram: DatagramListener): SimulatedSocket {
    const key = keyOf(local);
    if (this.listeners.has(key)) throw new Error(`${key} is in use`);
    this.listeners.set(key, onDatagram);
    return {
      local,
      send: (payload, to) => this.send(payload, local, to),
      close: () => void this.listeners.delete(key),
    };
  }

  /** For all links that `setLink` does not name. */
  setDefault(conditions: LinkConditions): void {
    this.conditions = conditions;
  }

  /** One direction, by the addresses that a packet bears on the wire: those outside a NAT. */
  setLink(from: string, to: string, conditions: LinkConditions): void {
    this.links.set(`${from}>${to}`, conditions);
  }

  /**
   * Puts host `inside` behind `outside`: what it sends bears that address and a port of the NAT's, and only to such a port,
   * once it was sent from, anything comes back. Mappings do not depend on the destination (RFC 4787 4.1).
   */
  addNat(inside: string, outside: string): void {
    this.nats.set(inside, new Nat(inside, outside, FIRST_NAT_PORT + 1000 * this.nats.size));
  }

  /** The NAT forgets its mappings: the next datagram leaves from another port, and nothing comes to the old one. */
  rebindNat(inside: string): void {
    this.nats.get(inside)?.forget();
  }

  /** Only hosts of the same island reach each other; hosts in none reach all. Also stops what is under way. */
  partition(...islands: readonly (readonly string[])[]): void {
    this.islands = islands.map((hosts) => new Set(hosts));
  }

  heal(): void {
    this.islands = [];
  }

  private send(payload: Uint8Array, local: Endpoint, to: Endpoint): void {
    this.counters.sent++;
    const from = this.nats.get(local.address)?.outgoing(local) ?? local;
    if (this.isCut(from.address, to.address)) {
      this.counters.partitioned++;
      return;
    }
    const conditions = this.links.get(`${from.address}>${to.address}`) ?? this.conditions;
    // All are drawn each time, so that a change of one condition leaves the fate by the others as it was.
    const isLost = this.random.chance(conditions.loss ?? 0);
    const isDuplicated = this.random.chance(conditions.duplicate ?? 0);
    const isReordered = this.random.chance(conditions.reorder ?? 0);
    const delays = [this.random.fraction(), this.random.fraction()];
    if (isLost) {
      this.counters.lost++;
      return;
    }
    if (isDuplicated) this.counters.duplicated++;
    for (const spread of delays.slice(0, isDuplicated ? 2 : 1)) {
      const arrivalUs = this.clock.nowUs + (conditions.latencyUs ?? 0) + spread * (conditions.jitterUs ?? 0);
      this.carry(
        payload.slice(),
        from,
        to,
        isReordered ? arrivalUs + (conditions.reorderUs ?? DEFAULT_REORDER_US) : arrivalUs,
        isReordered,
      );
    }
  }

  private carry(payload: Uint8Array, from: Endpoint, to: Endpoint, arrivalUs: number, mayBeOvertaken: boolean): void {
    const flow = `${keyOf(from)}>${keyOf(to)}`;
    const inOrderUs = Math.max(arrivalUs, this.lastArrivalUs.get(flow) ?? 0);
    if (!mayBeOvertaken) this.lastArrivalUs.set(flow, inOrderUs);
    this.clock.at(mayBeOvertaken ? arrivalUs : inOrderUs, () => this.deliver(payload, from, to));
  }

  private deliver(payload: Uint8Array, from: Endpoint, to: Endpoint): void {
    if (this.isCut(from.address, to.address)) {
      this.counters.partitioned++;
      return;
    }
    const listener = this.listenerAt(to);
    if (listener === undefined) {
      this.counters.unreachable++;
      return;
    }
    this.counters.delivered++;
    listener(payload, from);
  }

  private listenerAt(to: Endpoint): DatagramListener | undefined {
    for (const nat of this.nats.values()) {
      // From outside nobody reaches an inner address but through a mapping.
      if (nat.inside === to.address) return undefined;
      if (nat.outside === to.address) {
        const inner = nat.incoming(to.port);
        if (inner !== null) return this.listeners.get(keyOf(inner));
      }
    }
    return this.listeners.get(keyOf(to));
  }

  private isCut(from: string, to: string): boolean {
    const islandOf = (host: string): number => this.islands.findIndex((hosts) => hosts.has(host));
    const [a, b] = [islandOf(from), islandOf(to)];
    return a !== b && a !== -1 && b !== -1;
  }
}

/** Ports of one host behind one outer address. */
class Nat {
  readonly inside: string;
  readonly outside: string;
  private nextPort: number;
  private readonly outerPorts = new Map<number, number>();

  constructor(inside: string, outside: string, firstPort: number) {
    this.inside = inside;
    this.outside = outside;
    this.nextPort = firstPort;
  }

  outgoing(from: Endpoint): Endpoint {
    const port = this.outerPorts.get(from.port) ?? this.nextPort++;
    this.outerPorts.set(from.port, port);
    return { address: this.outside, port };
  }

  incoming(outerPort: number): Endpoint | null {
    for (const [port, outer] of this.outerPorts) if (outer === outerPort) return { address: this.inside, port };
    return null;
  }

  forget(): void {
    this.outerPorts.clear();
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
