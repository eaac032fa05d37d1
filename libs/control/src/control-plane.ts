import { delay, systemClock } from './clock.ts';
import type { Clock, Timer } from './clock.ts';
import { DEFAULT_LIMITS } from './control-plane-options.ts';
import type { ControlLimits, ControlPlaneOptions } from './control-plane-options.ts';
import { makeCounters } from './counters.ts';
import { withDeadline } from './deadline.ts';
import { HeardFleet } from './fleet/fleet.ts';
import type { Fleet } from './fleet/fleet.ts';
import { FleetView } from './fleet/fleet-view.ts';
import { Heartbeat } from './fleet/heartbeat.ts';
import type { Instance, InstanceState } from './fleet/instance.ts';
import { Judge } from './fleet/loss.ts';
import { Membership } from './fleet/membership.ts';
import { Placement, loadOf } from './fleet/placement.ts';
import { Registry } from './fleet/registry.ts';
import { Claims } from './idempotency/claims.ts';
import { ResultMemory } from './idempotency/result-memory.ts';
import { silentLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { eventPattern, eventStream, requestBucket, sessionBucket } from './names.ts';
import type { Router } from './routing/method.ts';
import { OverloadGate } from './routing/overload-gate.ts';
import { RpcRouter } from './routing/rpc-router.ts';
import { makeInstanceId, makeSessionId } from './routing/session-id.ts';
import { SessionDirectory } from './sessions/directory.ts';
import { SessionEvents } from './sessions/events.ts';
import { inBatches } from './sessions/in-batches.ts';
import type { Directory, Events } from './sessions/sessions.ts';
import { WriteBehind } from './sessions/write-behind.ts';

const RETRY_MS = 250;
/** How long a stop waits for what sessions have still to write. */
const STOP_FLUSH_MS = 5_000;
/** Final events of a lost instance published at a time. */
const LOST_BATCH = 100;

/** The control plane of one instance: wires the parts and holds what they share. */
export class ControlPlane<Rec, Ev> {
  readonly instanceId: string;
  readonly counters = makeCounters();
  readonly #options: ControlPlaneOptions<Rec, Ev>;
  readonly #limits: ControlLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #startedAtUnixMs: number;
  readonly #stopped = new AbortController();
  readonly #view: FleetView;
  readonly #heartbeat: Heartbeat;
  readonly #registry: Registry;
  readonly #membership: Membership;
  readonly #judge: Judge;
  readonly #writer: WriteBehind;
  readonly #directory: SessionDirectory<Rec>;
  readonly #events: SessionEvents<Rec, Ev>;
  readonly #router: RpcRouter;
  readonly #fleet: HeardFleet;
  readonly #stopFollowing: () => void;
  #draining = false;
  #orphanTimer: Timer | undefined;

  private constructor(options: ControlPlaneOptions<Rec, Ev>) {
    const { bus, service, random = Math.random } = options;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#startedAtUnixMs = this.#clock.unixMs();
    this.instanceId = options.instanceId ?? makeInstanceId();
    this.#registry = new Registry(bus, service);
    this.#view = new FleetView(bus, this.#clock);
    this.#heartbeat = new Heartbeat(bus, this.#clock, random, this.counters, () => this.#self());
    this.#membership = this.#makeMembership();
    this.#writer = this.#makeWriter();
    const records = bus.kv(sessionBucket(service), { ttlMs: 0 });
    this.#directory = new SessionDirectory(this.instanceId, options.record, records, this.#writer);
    this.#events = this.#makeEvents();
    this.#judge = this.#makeJudge();
    this.#router = this.#makeRouter(new Placement(service, this.#view, random, () => this.#self()));
    this.#fleet = new HeardFleet({ instanceId: this.instanceId, view: this.#view, self: () => this.#self() });
    this.#stopFollowing = bus.onStateChange((state) => state === 'connected' && this.#heartbeat.beat());
  }

  /** Joins the fleet, then serves the methods that `register` gives the router. */
  static async start<Rec, Ev>(
    options: ControlPlaneOptions<Rec, Ev>,
    register: (router: Router) => void = () => undefined,
  ): Promise<ControlPlane<Rec, Ev>> {
    const plane = new ControlPlane(options);
    register(plane.router);
    await plane.#membership.start();
    plane.#heartbeat.beat();
    return plane;
  }

  get state(): InstanceState {
    return this.#draining || this.#membership.lost ? 'DRAINING' : 'SERVING';
  }

  get router(): Router {
    return this.#router;
  }

  get directory(): Directory<Rec> {
    return this.#directory;
  }

  get events(): Events<Rec, Ev> {
    return this.#events;
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  newSessionId(): string {
    return makeSessionId(this.#options.kind, this.instanceId);
  }

  /** Takes no new sessions and says so at once; sessions live on, calls to them are served. */
  drain(): void {
    this.#setDraining(true);
  }

  undrain(): void {
    this.#setDraining(false);
  }

  /** Capacity or load changed much: do not wait for the next heartbeat. */
  announce(): void {
    this.#heartbeat.beat();
  }

  /** Leaves the fleet. Close the sessions first: those that are left will be declared lost by a survivor. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#orphanTimer?.cancel();
    this.#stopFollowing();
    this.#judge.stop();
    this.#stopped.abort();
    const closed = this.#directory.ownIds.length === 0;
    const written = await this.#writeWhatIsLeft();
    this.#writer.stop();
    this.#router.stop();
    this.#heartbeat.stop();
    await this.#membership
      .stop(closed && written)
      .catch((err: unknown) => this.#logger.warn({ err }, 'lease not given up'));
    this.#view.close();
  }

  /** The bus may be unable to store, or this instance not allowed to write: `false`, and a survivor is to make it good. */
  async #writeWhatIsLeft(): Promise<boolean> {
    if (this.#membership.lost) {
      this.#writer.abandon();
      return false;
    }
    const deadlineMs = this.#clock.nowMs() + STOP_FLUSH_MS;
    try {
      const flush = { deadlineMs, what: 'the last flush' };
      await withDeadline(this.#clock, flush, () => this.#writer.flush());
      return true;
    } catch (thrown) {
      this.#logger.warn({ err: thrown, ...this.#writer.left }, 'stopped before all was written to the directory');
      return false;
    }
  }

  #self(epoch = this.#membership.epoch): Instance {
    const { service, zone, addresses, version, load } = this.#options;
    const capacity = this.#options.capacity();
    return {
      instanceId: this.instanceId,
      service,
      zone,
      addresses,
      version,
      state: this.state,
      capacity,
      load: load?.() ?? loadOf(capacity),
      epoch,
      startedAtUnixMs: this.#startedAtUnixMs,
      heartbeatIntervalMs: this.#limits.heartbeatIntervalMs,
    };
  }

  #setDraining(draining: boolean): void {
    if (this.#draining === draining) return;
    this.#draining = draining;
    this.#logger.info({ state: this.state }, `instance ${draining ? 'drains' : 'serves again'}`);
    this.#heartbeat.beat();
    this.#options.onStateChange?.(this.state);
  }

  #onHeld(wiped: boolean): void {
    if (wiped) {
      this.#logger.warn({}, 'the message bus had lost its store: writing the directory again');
      this.#writer.rewrite();
    }
    this.#writer.resume();
  }

  #onLost(): void {
    // Its sessions are closed already, or about to be.
    if (this.#stopped.signal.aborted) return this.#writer.abandon();
    const { orphanGraceMs } = this.#limits;
    const sessions = this.#directory.ownIds.length;
    this.#logger.error(
      { sessions, orphanGraceMs },
      'this instance was declared lost; its media go on for the grace time',
    );
    this.#heartbeat.beat();
    this.#options.onStateChange?.(this.state);
    this.#orphanTimer = this.#clock.setTimer(() => void this.#closeOrphans(), orphanGraceMs);
  }

  async #closeOrphans(): Promise<void> {
    const sessionIds = this.#directory.clear();
    this.counters.sessionsOrphaned += sessionIds.length;
    this.#logger.error({ sessions: sessionIds.length }, 'closing the sessions of an instance that was declared lost');
    try {
      await this.#options.onOrphaned(sessionIds);
    } catch (thrown) {
      this.#logger.error({ err: thrown }, 'orphaned sessions not closed');
    }
    while (!this.#stopped.signal.aborted) {
      try {
        // What this instance wrote after the survivor had looked.
        await inBatches(await this.#directory.storedOf(this.instanceId), LOST_BATCH, (entry) =>
          this.#directory.removeStored(entry),
        );
        await this.#membership.rejoin();
        this.#heartbeat.beat();
        this.#options.onStateChange?.(this.state);
        return;
      } catch (thrown) {
        this.#logger.warn({ err: thrown }, 'cannot rejoin the fleet yet');
        await delay(this.#clock, RETRY_MS, this.#stopped.signal);
      }
    }
  }

  /** On behalf of an instance that is lost: a final event for each of its sessions, then its record goes. */
  async #closeSessionsOf(instanceId: string): Promise<number> {
    const lost = await this.#directory.storedOf(instanceId);
    await inBatches(lost, LOST_BATCH, async (entry) => {
      await this.#events.publishLost(entry, this.#options.lostEvent(entry));
      await this.#directory.removeStored(entry);
    });
    return lost.length;
  }

  #makeMembership(): Membership {
    const parts = {
      service: this.#options.service,
      bus: this.#options.bus,
      clock: this.#clock,
      registry: this.#registry,
      counters: this.counters,
      logger: this.#logger,
      leaseTtlMs: this.#limits.leaseTtlMs,
      describe: (epoch: number) => this.#self(epoch),
    };
    return new Membership(parts, { onHeld: (wiped) => this.#onHeld(wiped), onLost: () => this.#onLost() });
  }

  #makeWriter(): WriteBehind {
    const { bus, service } = this.#options;
    return new WriteBehind({
      service,
      instanceId: this.instanceId,
      bus,
      clock: this.#clock,
      records: bus.kv(sessionBucket(service), { ttlMs: 0 }),
      stream: this.#makeStream(),
      counters: this.counters,
      logger: this.#logger,
      flushIntervalMs: this.#limits.flushIntervalMs,
      maxPendingWrites: this.#limits.maxPendingWrites,
      certain: () => this.#membership.certain,
    });
  }

  #makeStream(): ReturnType<ControlPlaneOptions<Rec, Ev>['bus']['stream']> {
    const { bus, service } = this.#options;
    const { eventMaxAgeMs, eventMaxBytes } = this.#limits;
    return bus.stream(eventStream(service), {
      subjects: [eventPattern(service)],
      maxAgeMs: eventMaxAgeMs,
      maxBytes: eventMaxBytes,
    });
  }

  #makeEvents(): SessionEvents<Rec, Ev> {
    return new SessionEvents({
      service: this.#options.service,
      clock: this.#clock,
      stream: this.#makeStream(),
      codec: this.#options.event,
      directory: this.#directory,
      writer: this.#writer,
      counters: this.counters,
      maxWatchLag: this.#limits.maxWatchLag,
      stopped: this.#stopped.signal,
    });
  }

  #makeJudge(): Judge {
    return new Judge({
      service: this.#options.service,
      instanceId: this.instanceId,
      bus: this.#options.bus,
      clock: this.#clock,
      view: this.#view,
      registry: this.#registry,
      membership: this.#membership,
      counters: this.counters,
      logger: this.#logger,
      leaseTtlMs: this.#limits.leaseTtlMs,
      heartbeatIntervalMs: this.#limits.heartbeatIntervalMs,
      probe: this.#options.probe?.bind(this.#options),
      closeSessionsOf: (instanceId) => this.#closeSessionsOf(instanceId),
    });
  }

  #makeRouter(placement: Placement): RpcRouter {
    const { bus, service, kind } = this.#options;
    const { requestIdTtlMs, maxRememberedResponses, maxConcurrentCalls, loopLagTargetMs } = this.#limits;
    const loopLagMs = (): number => this.#options.loopLagMs?.() ?? 0;
    return new RpcRouter({
      service,
      kind,
      instanceId: this.instanceId,
      bus,
      clock: this.#clock,
      view: this.#view,
      placement,
      registry: this.#registry,
      claims: new Claims(bus.kv(requestBucket(service), { ttlMs: requestIdTtlMs }), this.#clock),
      results: new ResultMemory(maxRememberedResponses),
      gate: new OverloadGate({ maxConcurrent: maxConcurrentCalls, loopLagTargetMs, loopLagMs }, this.counters),
      counters: this.counters,
      self: () => this.#self(),
    });
  }
}
