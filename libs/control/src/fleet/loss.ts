import type { Bus } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { hasCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { FleetView } from './fleet-view.ts';
import type { Instance } from './instance.ts';
import type { Membership } from './membership.ts';
import type { Registry, RegistryEntry } from './registry.ts';

export interface JudgeParts {
  readonly service: string;
  readonly instanceId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly view: FleetView;
  readonly registry: Registry;
  readonly membership: Membership;
  readonly counters: ControlCounters;
  readonly logger: Logger;
  readonly leaseTtlMs: number;
  readonly heartbeatIntervalMs: number;
  probe?: ((instance: Instance) => Promise<boolean>) | undefined;
  /** Gives every session of the instance its final event and removes its record; returns how many there were. */
  closeSessionsOf(instanceId: string): Promise<number>;
}

/** Looks in a lease TTL, and looks of which one reads the whole registry, for instances never heard of. */
const LOOKS_PER_TTL = 5;
const FULL_LOOK_EVERY = 10;
/** How long an instance that was declared lost can still learn of it. */
const TOMBSTONE_MS = 24 * 3_600_000;

/**
 * Declares instances lost, on behalf of those who watch their sessions. Its only art is not to do so wrongly:
 *
 * - It judges only while its own lease was held without a break for a TTL and a half. A renewal goes the same way as the
 *   evidence; any break (bus away, server restarted, this process suspended) begins the wait anew, and all who live use it to
 *   renew. That is at least one TTL, as each retries four times a second.
 * - It must have heard a heartbeat lately. Its own, echoed by the bus, will do: it proves that heartbeats arrive here, and the
 *   last of two instances must be able to judge the other. One that is cut off hears not even itself.
 * - The suspect holds no lease, AND sent no heartbeat for a TTL, AND does not answer a probe, where there is one.
 * - The verdict is a compare-and-set on the suspect's registration: of several judges one succeeds, and none against an
 *   instance that has come back meanwhile.
 */
export class Judge {
  readonly #parts: JudgeParts;
  #timer: Timer | undefined;
  #lastLookMs: number;
  #steadySinceMs: number;
  #looks = 0;
  #stopped = false;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
    this.#lastLookMs = parts.clock.nowMs();
    this.#steadySinceMs = this.#lastLookMs;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Whether this instance may judge now. */
  get fit(): boolean {
    const { clock, bus, membership, view, instanceId, leaseTtlMs, heartbeatIntervalMs } = this.#parts;
    const steadySinceMs = Math.max(this.#steadySinceMs, membership.heldSinceMs);
    return (
      bus.state === 'connected' &&
      clock.nowMs() - steadySinceMs >= 1.5 * leaseTtlMs &&
      view.silentMs(instanceId) <= 3 * heartbeatIntervalMs
    );
  }

  get #intervalMs(): number {
    return this.#parts.leaseTtlMs / LOOKS_PER_TTL;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.setTimer(() => void this.#look(), this.#intervalMs);
  }

  async #look(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    // A process that did not run for a while has an old view of everything.
    if (nowMs - this.#lastLookMs > 2 * this.#intervalMs + 1_000) this.#steadySinceMs = nowMs;
    this.#lastLookMs = nowMs;
    try {
      if (this.fit) {
        for (const entry of await this.#suspects()) await this.#judge(entry);
        this.#lastLookMs = this.#parts.clock.nowMs();
      }
    } catch (thrown) {
      this.#parts.logger.warn({ err: thrown }, 'could not look for lost instances');
    }
    this.#schedule();
  }

  async #suspects(): Promise<RegistryEntry[]> {
    const { registry, view, service, leaseTtlMs } = this.#parts;
    if (this.#looks++ % FULL_LOOK_EVERY === 0) return registry.list();
    const silent = view.list(service).filter((instance) => instance.lastSeenMsAgo >= leaseTtlMs);
    const entries = await Promise.all(silent.map((instance) => registry.get(instance.instanceId)));
    return entries.filter((entry) => entry !== undefined);
  }

  async #judge(entry: RegistryEntry): Promise<void> {
    const { clock, registry, instanceId } = this.#parts;
    if (entry.instance.instanceId === instanceId) return;
    if (entry.state === 'live') {
      if (await this.#isLost(entry)) await this.#declare(entry);
    } else if (!entry.settled) {
      // Somebody began and did not finish; finishing twice does no harm.
      if (entry.judge === instanceId || !(await this.#parts.membership.isHeldBy(entry.judge)))
        await this.#finish(entry);
    } else if (clock.unixMs() - entry.declaredAtUnixMs > TOMBSTONE_MS) {
      await registry.remove(entry.instance.instanceId);
    }
  }

  async #isLost({ instance }: RegistryEntry): Promise<boolean> {
    const { view, membership, probe, leaseTtlMs } = this.#parts;
    if (view.silentMs(instance.instanceId) < leaseTtlMs) return false;
    if (await membership.isHeldBy(instance.instanceId)) return false;
    if (probe !== undefined && (await probe(instance).catch(() => false))) return false;
    // All that took time, in which this instance may have become unfit.
    return this.fit;
  }

  async #declare(entry: RegistryEntry): Promise<void> {
    const { registry, instanceId, clock, counters, logger } = this.#parts;
    let declared: RegistryEntry;
    try {
      declared = await registry.declareLost(entry, instanceId, clock.unixMs());
    } catch (thrown) {
      if (hasCode(thrown, 'ABORTED')) return;
      throw thrown;
    }
    counters.instancesDeclaredLost++;
    logger.error({ lostInstance: entry.instance.instanceId, epoch: entry.instance.epoch }, 'instance declared lost');
    await this.#finish(declared);
  }

  async #finish(entry: RegistryEntry): Promise<void> {
    const { registry, counters, logger } = this.#parts;
    const { instanceId } = entry.instance;
    const sessions = await this.#parts.closeSessionsOf(instanceId);
    counters.sessionsDeclaredLost += sessions;
    logger.warn({ lostInstance: instanceId, sessions }, 'sessions of a lost instance closed');
    await registry.settle(entry).catch((thrown: unknown) => {
      if (!hasCode(thrown, 'ABORTED')) throw thrown;
    });
  }
}
