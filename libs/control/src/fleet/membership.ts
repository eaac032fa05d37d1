import type { Bus, BusKv } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { hasCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { leaseBucket } from '../names.ts';
import type { Instance } from './instance.ts';
import type { Registry } from './registry.ts';

export interface MembershipEvents {
  /** The lease is held (again); `wiped`: the bus had forgotten this instance, so it has forgotten its sessions too. */
  onHeld(wiped: boolean): void;
  /** A survivor has declared this instance lost. */
  onLost(): void;
}

export interface MembershipParts {
  readonly service: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly counters: ControlCounters;
  readonly logger: Logger;
  readonly leaseTtlMs: number;
  describe(epoch: number): Instance;
}

const RETRY_MS = 250;
/** A lease says all by being there. */
const NOTHING = new Uint8Array(0);

/**
 * This instance's lease. It is renewed by compare-and-set every third of its TTL. Whenever that fails, or the bus was away, it
 * is taken anew under the next epoch: FIRST the lease, THEN the registration, so that a judge who read the registration before
 * and finds no lease loses the compare-and-set.
 */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #events: MembershipEvents;
  readonly #leases: BusKv;
  readonly #stopFollowing: () => void;
  #epoch = 0;
  #revision = 0;
  #state: 'held' | 'unsure' | 'lost' | 'stopped' = 'unsure';
  #renewedAtMs = -Infinity;
  #heldSinceMs = Infinity;
  #timer: Timer | undefined;
  #busy = false;
  #failing = false;

  constructor(parts: MembershipParts, events: MembershipEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#leases = parts.bus.kv(leaseBucket(parts.service), { ttlMs: parts.leaseTtlMs });
    this.#stopFollowing = parts.bus.onStateChange((state) => {
      if (this.#state === 'held') this.#state = 'unsure';
      if (state === 'connected') void this.#tick();
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Since when the lease was held without a break; Infinity when it is not. The judge's patience counts from here. */
  get heldSinceMs(): number {
    return this.certain ? this.#heldSinceMs : Infinity;
  }

  get lost(): boolean {
    return this.#state === 'lost';
  }

  /** Nobody can have declared this instance lost: only then may it write to the directory and the event log. */
  get certain(): boolean {
    const ageMs = this.#parts.clock.nowMs() - this.#renewedAtMs;
    return this.#state === 'held' && ageMs < this.#parts.leaseTtlMs;
  }

  async start(): Promise<void> {
    await this.#tick();
  }

  /** Another instance's lease is there. */
  async isHeldBy(instanceId: string): Promise<boolean> {
    return (await this.#leases.get(instanceId)) !== undefined;
  }

  /** After `onLost`, when the sessions are closed: takes part in the fleet again. */
  async rejoin(): Promise<void> {
    if (this.#state !== 'lost') return;
    const entry = await this.#parts.registry.get(this.#instanceId);
    const instance = this.#parts.describe(++this.#epoch);
    if (entry === undefined) await this.#parts.registry.add(instance);
    else await this.#parts.registry.revive(instance, entry.revision);
    this.#state = 'unsure';
    await this.#tick();
  }

  /**
   * Gives the lease up. `clean`: no sessions are left, and whoever asks for one hears NOT_FOUND from now on. Otherwise the
   * registration stays, and a survivor will declare them lost.
   */
  async stop(clean: boolean): Promise<void> {
    const wasLost = this.#state === 'lost';
    this.#state = 'stopped';
    this.#stopFollowing();
    this.#timer?.cancel();
    if (this.#parts.bus.state === 'away' || wasLost) return;
    if (clean) await this.#parts.registry.remove(this.#instanceId);
    await this.#leases.delete(this.#instanceId);
  }

  get #instanceId(): string {
    return this.#parts.describe(this.#epoch).instanceId;
  }

  async #tick(): Promise<void> {
    if (this.#busy || this.#state === 'stopped' || this.#state === 'lost') return;
    this.#timer?.cancel();
    this.#busy = true;
    let nextMs = this.#parts.leaseTtlMs / 3;
    try {
      if (this.#state === 'held') await this.#renew();
      if (this.#state === 'unsure') await this.#acquire();
      this.#failing = false;
    } catch (thrown) {
      this.#parts.counters.leaseRenewFailures++;
      if (!this.#failing && this.#parts.bus.state === 'connected') {
        this.#failing = true;
        this.#parts.logger.warn({ err: thrown }, 'lease not renewed; trying on');
      }
      nextMs = RETRY_MS;
    } finally {
      this.#busy = false;
    }
    if (this.#state === 'held' || this.#state === 'unsure') {
      this.#timer = this.#parts.clock.setTimer(() => void this.#tick(), nextMs);
    }
  }

  async #renew(): Promise<void> {
    const atMs = this.#parts.clock.nowMs();
    try {
      this.#revision = await this.#leases.update(this.#instanceId, NOTHING, this.#revision);
      this.#renewedAtMs = atMs;
      this.#parts.counters.leaseRenewals++;
    } catch (thrown) {
      if (!hasCode(thrown, 'ABORTED')) throw thrown;
      // It ran out, or the bus has forgotten it.
      if (this.#state === 'held') this.#state = 'unsure';
    }
  }

  async #acquire(): Promise<void> {
    const { registry, clock } = this.#parts;
    const atMs = clock.nowMs();
    const entry = await registry.get(this.#instanceId);
    if (entry?.state === 'lost') return this.#declaredLost();
    this.#revision = await this.#leases.put(this.#instanceId, NOTHING);
    const first = this.#epoch === 0;
    const instance = this.#parts.describe(this.#epoch + 1);
    try {
      if (entry === undefined) await registry.add(instance);
      else await registry.revive(instance, entry.revision);
    } catch (thrown) {
      // Somebody changed the registration between: look again, at once.
      if (hasCode(thrown, 'ABORTED') || hasCode(thrown, 'ALREADY_EXISTS')) return this.#acquire();
      throw thrown;
    }
    if (this.#state !== 'unsure') return;
    this.#epoch++;
    this.#state = 'held';
    this.#renewedAtMs = atMs;
    this.#heldSinceMs = clock.nowMs();
    this.#events.onHeld(entry === undefined && !first);
  }

  async #declaredLost(): Promise<void> {
    this.#state = 'lost';
    await this.#leases.delete(this.#instanceId).catch(() => undefined);
    this.#events.onLost();
  }
}
