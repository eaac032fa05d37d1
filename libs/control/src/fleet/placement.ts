import { ServiceError } from '../errors.ts';
import type { FleetView, InstanceStatus } from './fleet-view.ts';
import type { Capacity, Instance } from './instance.ts';
import type { Refusals } from './refusals.ts';

export interface PlacementRequest {
  /** Instance to stay beside, if it can take the sessions. */
  readonly near?: string | undefined;
  /** How many sessions the call opens. */
  readonly sessions: number;
  readonly refused: Refusals;
}

/** A placed call until it is done, and after that until the instance's next heartbeat counts its sessions itself. */
export interface Reservation {
  readonly instanceId: string;
  /** `opened`: the sessions exist now. */
  done(opened: boolean): void;
}

interface Reserved {
  inFlight: number;
  sinceHeartbeat: number;
}

const RETRY_AFTER_MS = 1_000;

/** Chooses the instance for a new session: the better of two at random by load, so that many choosers do not herd. */
export class Placement {
  readonly #service: string;
  readonly #view: FleetView;
  readonly #random: () => number;
  readonly #self: () => Instance;
  readonly #reserved = new Map<string, Reserved>();

  constructor(service: string, view: FleetView, random: () => number, self: () => Instance) {
    this.#service = service;
    this.#view = view;
    this.#random = random;
    this.#self = self;
    view.onHeartbeat(({ instanceId }) => {
      const reserved = this.#reserved.get(instanceId);
      if (reserved === undefined) return;
      if (reserved.inFlight === 0) this.#reserved.delete(instanceId);
      else reserved.sinceHeartbeat = 0;
    });
  }

  /**
   * When no instance can take the sessions: what those that were asked said, if that is one and the same; else, with a time to retry,
   * UNAVAILABLE (DRAINING) when all drain, or RESOURCE_EXHAUSTED (NO_CAPACITY).
   */
  choose(request: PlacementRequest): Reservation {
    const instances = this.#instances();
    const candidates = instances.filter((instance) => this.#canTake(instance, request));
    if (candidates.length === 0) throw request.refused.common ?? this.#nobody(instances);
    const beside = candidates.find((instance) => instance.instanceId === request.near);
    return this.reserve((beside ?? this.#betterOfTwo(candidates)).instanceId, request.sessions);
  }

  reserve(instanceId: string, sessions: number): Reservation {
    const reserved = this.#reserved.get(instanceId) ?? { inFlight: 0, sinceHeartbeat: 0 };
    this.#reserved.set(instanceId, reserved);
    reserved.inFlight += sessions;
    let open = true;
    return {
      instanceId,
      done: (opened) => {
        if (!open) return;
        open = false;
        reserved.inFlight -= sessions;
        if (opened && instanceId !== this.#self().instanceId) reserved.sinceHeartbeat += sessions;
      },
    };
  }

  #nobody(instances: readonly Instance[]): ServiceError {
    if (instances.every(({ state }) => state === 'DRAINING')) {
      const details = { retryAfterMs: RETRY_AFTER_MS };
      return ServiceError.unavailable('DRAINING', `no instance of ${this.#service} takes new sessions`, details);
    }
    return ServiceError.exhausted('NO_CAPACITY', `no instance of ${this.#service} can take more`, RETRY_AFTER_MS);
  }

  /** Itself is always there, with what it knows now: its heartbeats may be in flight, or the bus away. */
  #instances(): Instance[] {
    const self = this.#self();
    const others = this.#view
      .list(this.#service)
      .filter((other) => !isOut(other) && other.instanceId !== self.instanceId);
    return [self, ...others];
  }

  #canTake(instance: Instance, { refused, sessions }: PlacementRequest): boolean {
    if (instance.state !== 'SERVING' || refused.has(instance.instanceId)) return false;
    // Of itself it knows the true use, which includes calls in flight.
    const reserved = instance.instanceId === this.#self().instanceId ? 0 : this.#reservedOn(instance);
    return instance.capacity.used + reserved + sessions <= instance.capacity.limit;
  }

  #betterOfTwo(candidates: readonly Instance[]): Instance {
    const first = candidates[Math.floor(this.#random() * candidates.length)];
    const others = candidates.filter((candidate) => candidate !== first);
    if (others.length === 0) return first;
    const second = others[Math.floor(this.#random() * others.length)];
    return this.#load(first) <= this.#load(second) ? first : second;
  }

  #load(instance: Instance): number {
    const { used, limit } = instance.capacity;
    return Math.max(instance.load, (used + this.#reservedOn(instance)) / limit);
  }

  #reservedOn({ instanceId }: Instance): number {
    const reserved = this.#reserved.get(instanceId);
    return reserved === undefined ? 0 : reserved.inFlight + reserved.sinceHeartbeat;
  }
}

export function loadOf({ limit, used }: Capacity): number {
  return limit > 0 ? Math.min(1, used / limit) : 1;
}

function isOut(instance: InstanceStatus): boolean {
  return instance.away;
}
