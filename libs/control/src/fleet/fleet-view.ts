import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { ALL_FLEETS } from '../names.ts';
import { instanceCodec } from './instance.ts';
import type { Instance } from './instance.ts';

export interface InstanceStatus extends Instance {
  readonly lastSeenMsAgo: number;
  /** No heartbeat for `STALE_HEARTBEATS` intervals. */
  readonly away: boolean;
}

/** Header of an instance's last heartbeat: it stops. */
export const GOODBYE = 'Mp-Goodbye';

const STALE_HEARTBEATS = 3;
/** How long an instance that fell silent stays in lists. */
const FORGET_AFTER_MS = 600_000;

interface Seen {
  instance: Instance;
  atMs: number;
}

/** What this instance knows of all instances of all services, from their heartbeats. */
export class FleetView {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  readonly #subscription: Subscription;
  readonly #listeners = new Set<(instance: Instance) => void>();

  constructor(bus: Bus, clock: Clock) {
    this.#clock = clock;
    this.#subscription = bus.subscribe(ALL_FLEETS, (message) => this.#receive(message));
  }

  list(service?: string): InstanceStatus[] {
    this.#forget();
    return [...this.#seen.values()]
      .filter((seen) => service === undefined || seen.instance.service === service)
      .map((seen) => this.#status(seen))
      .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  get(instanceId: string): InstanceStatus | undefined {
    const seen = this.#seen.get(instanceId);
    return seen && this.#status(seen);
  }

  /** Infinity when it was never heard. */
  silentMs(instanceId: string): number {
    const seen = this.#seen.get(instanceId);
    return seen === undefined ? Infinity : this.#clock.nowMs() - seen.atMs;
  }

  onHeartbeat(listener: (instance: Instance) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#subscription.unsubscribe();
  }

  #receive(message: BusMessage): void {
    const instance = decode(message.payload);
    if (instance === undefined || instance.instanceId === '') return;
    if (message.headers[GOODBYE] !== undefined) {
      this.#seen.delete(instance.instanceId);
      return;
    }
    this.#seen.set(instance.instanceId, { instance, atMs: this.#clock.nowMs() });
    for (const listener of this.#listeners) listener(instance);
  }

  #status({ instance, atMs }: Seen): InstanceStatus {
    const lastSeenMsAgo = this.#clock.nowMs() - atMs;
    return { ...instance, lastSeenMsAgo, away: lastSeenMsAgo > STALE_HEARTBEATS * instance.heartbeatIntervalMs };
  }

  #forget(): void {
    for (const [instanceId, { atMs }] of this.#seen) {
      if (this.#clock.nowMs() - atMs > FORGET_AFTER_MS) this.#seen.delete(instanceId);
    }
  }
}

function decode(payload: Uint8Array): Instance | undefined {
  try {
    return instanceCodec.decode(payload);
  } catch {
    return undefined;
  }
}
