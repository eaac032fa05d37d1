import type { Bus, BusKv, BusStream } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { ServiceError, hasCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { eventSubject } from '../names.ts';
import { EVENT_FINAL, EVENT_TIME } from './event-headers.ts';
import { inBatches } from './in-batches.ts';

export interface WriteBehindParts {
  readonly service: string;
  readonly instanceId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly records: BusKv;
  readonly stream: BusStream;
  readonly counters: ControlCounters;
  readonly logger: Logger;
  readonly flushIntervalMs: number;
  readonly maxPendingWrites: number;
  /** Whether this instance may write now: not while somebody may have declared it lost. */
  certain(): boolean;
}

interface SessionState {
  readonly sessionId: string;
  encode: () => Uint8Array;
  /** The record changed since it was last sent. */
  dirty: boolean;
  /** Sent, no answer yet. */
  writing: boolean;
  /** A record of it is, or may be, in the bucket. */
  stored: boolean;
  removed: boolean;
  waitingEvents: number;
}

interface PendingEvent {
  readonly session: SessionState;
  readonly payload: Uint8Array;
  readonly headers: Record<string, string>;
  readonly messageId: string;
}

const RETRY_MS = 250;
/** Node's timers may fire this much before the clock says so. */
const TIMER_EARLY_MS = 2;
/** Unanswered writes at a time; one batch of events in flight keeps each session's order. */
const BATCH = 512;

/**
 * Carries what sessions do to the bus, behind their backs, in an order that keeps a watcher's picture whole: a session's record
 * is stored before its first event is published, and removed after its last. A session that ends within the flush interval
 * leaves no record at all. Nothing is given up while the bus is away.
 */
export class WriteBehind {
  readonly #parts: WriteBehindParts;
  readonly #sessions = new Map<string, SessionState>();
  readonly #dirty = new Set<SessionState>();
  readonly #removed = new Set<SessionState>();
  #events: PendingEvent[] = [];
  #eventCount = 0;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  /** When records are to be written: later than events, so that short sessions need none. */
  #recordsAtMs = Infinity;
  #running = false;
  #failing = false;
  /** Raised when all is abandoned: what was in flight then must not come back. */
  #generation = 0;
  #stopped = false;
  readonly #stopFollowing: () => void;
  #flushed: { resolve(): void; reject(error: ServiceError): void }[] = [];

  constructor(parts: WriteBehindParts) {
    this.#parts = parts;
    this.#stopFollowing = parts.bus.onStateChange((state) => {
      if (state === 'away') this.#failFlushes();
    });
  }

  put(sessionId: string, encode: () => Uint8Array): void {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      if (this.#waiting() >= this.#parts.maxPendingWrites) throw awayBufferFull();
      session = { sessionId, encode, dirty: true, writing: false, stored: false, removed: false, waitingEvents: 0 };
      this.#sessions.set(sessionId, session);
    }
    session.encode = encode;
    session.dirty = true;
    this.#dirty.add(session);
    this.#recordsIn(this.#parts.flushIntervalMs);
  }

  publish(sessionId: string, payload: Uint8Array, final: boolean): void {
    const { clock, counters, instanceId, maxPendingWrites } = this.#parts;
    // New sessions are refused long before; what still comes in beyond twice the bound is let go, but never an end.
    if (this.#waiting() >= 2 * maxPendingWrites && !final) {
      counters.eventsDropped++;
      return;
    }
    const session = this.#sessions.get(sessionId) ?? ownerless(sessionId);
    session.waitingEvents++;
    const headers = { [EVENT_TIME]: String(Math.round(clock.unixMs())), ...(final && { [EVENT_FINAL]: '1' }) };
    this.#events.push({ session, payload, headers, messageId: `${instanceId}.${++this.#eventCount}` });
    if (session.stored || !session.dirty) this.#runIn(0);
    else this.#recordsIn(this.#parts.flushIntervalMs);
  }

  remove(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    session.removed = true;
    session.dirty = false;
    this.#dirty.delete(session);
    this.#removed.add(session);
    this.#recordsIn(this.#parts.flushIntervalMs);
  }

  pending(sessionId: string): boolean {
    const session = this.#sessions.get(sessionId);
    return session !== undefined && (session.dirty || session.writing);
  }

  /** Every record is written again: the bus has lost them. */
  rewrite(): void {
    for (const session of this.#sessions.values()) {
      session.dirty = true;
      this.#dirty.add(session);
    }
    this.resume();
  }

  /** The bus is back, or this instance is certain again. */
  resume(): void {
    this.#recordsIn(0);
  }

  /** This instance was declared lost: others have spoken for its sessions. */
  abandon(): void {
    this.#generation++;
    this.#sessions.clear();
    this.#dirty.clear();
    this.#removed.clear();
    this.#events = [];
  }

  flush(): Promise<void> {
    if (this.#parts.bus.state === 'away') return Promise.reject(awayError());
    if (this.#waiting() === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#flushed.push({ resolve, reject });
      this.#recordsIn(0);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#stopFollowing();
    this.#failFlushes();
  }

  #waiting(): number {
    return this.#dirty.size + this.#removed.size + this.#events.length;
  }

  #recordsIn(delayMs: number): void {
    this.#recordsAtMs = Math.min(this.#recordsAtMs, this.#parts.clock.nowMs() + delayMs);
    this.#runIn(delayMs);
  }

  #runIn(delayMs: number): void {
    if (this.#stopped || this.#running) return;
    const atMs = this.#parts.clock.nowMs() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#parts.clock.setTimer(() => void this.#run(), delayMs);
  }

  async #run(): Promise<void> {
    this.#timerAtMs = Infinity;
    const { bus, clock, counters, logger } = this.#parts;
    if (this.#running || this.#stopped || bus.state === 'away') return;
    if (!this.#parts.certain()) return this.#runIn(RETRY_MS);
    this.#running = true;
    let failed = false;
    try {
      if (clock.nowMs() + TIMER_EARLY_MS >= this.#recordsAtMs) await this.#writeRecords();
      await this.#publishEvents();
      await this.#removeRecords();
      this.#failing = false;
    } catch (thrown) {
      failed = true;
      counters.writeFailures++;
      if (!this.#failing && bus.state === 'connected') logger.warn({ err: thrown }, 'directory not written; trying on');
      this.#failing = true;
    }
    this.#running = false;
    this.#scheduleNext(failed);
  }

  #scheduleNext(failed: boolean): void {
    if (this.#waiting() === 0) {
      for (const waiter of this.#flushed.splice(0)) waiter.resolve();
    } else if (failed) {
      this.#recordsIn(RETRY_MS);
      // A session's events must not overtake a record that could not be written.
      this.#recordsAtMs = 0;
    } else {
      this.#recordsIn(this.#flushed.length > 0 ? 0 : this.#parts.flushIntervalMs);
      if (this.#events.some(isReady)) this.#runIn(0);
    }
  }

  async #writeRecords(): Promise<void> {
    this.#recordsAtMs = Infinity;
    const batch = [...this.#dirty];
    this.#dirty.clear();
    await inBatches(batch, BATCH, async (session) => {
      if (session.removed) return;
      session.dirty = false;
      session.writing = true;
      session.stored = true;
      try {
        await this.#parts.records.put(this.#key(session), session.encode());
        this.#parts.counters.recordsWritten++;
      } catch (thrown) {
        if (!session.removed) {
          session.dirty = true;
          this.#dirty.add(session);
        }
        this.#rethrowIfTemporary(thrown, 'record');
      } finally {
        session.writing = false;
      }
    });
  }

  async #publishEvents(): Promise<void> {
    for (;;) {
      const generation = this.#generation;
      const batch = this.#takeReadyEvents();
      if (batch.length === 0) return;
      const outcomes = await Promise.allSettled(batch.map((event) => this.#publishOne(event)));
      const failedAt = outcomes.findIndex((outcome) => outcome.status === 'rejected');
      const done = failedAt === -1 ? batch : batch.slice(0, failedAt);
      for (const { session } of done) session.waitingEvents--;
      if (failedAt === -1) continue;
      // From the first failure on all go again, in order; those that were stored are known by their message id.
      if (generation === this.#generation) this.#events = [...batch.slice(failedAt), ...this.#events];
      const failed = outcomes[failedAt];
      throw failed.status === 'rejected' ? failed.reason : new Error('unreachable');
    }
  }

  async #publishOne({ session, payload, headers, messageId }: PendingEvent): Promise<void> {
    try {
      await this.#parts.stream.publish(eventSubject(this.#parts.service, session.sessionId), payload, {
        headers,
        messageId,
      });
      this.#parts.counters.eventsPublished++;
    } catch (thrown) {
      this.#rethrowIfTemporary(thrown, 'event');
      this.#parts.counters.eventsDropped++;
    }
  }

  /** The ready ones; the others stay, in order. */
  #takeReadyEvents(): PendingEvent[] {
    const ready: PendingEvent[] = [];
    const rest: PendingEvent[] = [];
    for (const event of this.#events) {
      if (ready.length < BATCH && isReady(event)) ready.push(event);
      else rest.push(event);
    }
    this.#events = rest;
    return ready;
  }

  async #removeRecords(): Promise<void> {
    const batch = [...this.#removed].filter((session) => session.waitingEvents === 0);
    await inBatches(batch, BATCH, async (session) => {
      if (session.stored) {
        await this.#parts.records.delete(this.#key(session));
        this.#parts.counters.recordsRemoved++;
      } else {
        this.#parts.counters.recordsCoalesced++;
      }
      this.#removed.delete(session);
    });
  }

  #key({ sessionId }: SessionState): string {
    return `${this.#parts.instanceId}.${sessionId}`;
  }

  /** What the bus will never take, as a payload above its limit, would be tried for ever. */
  #rethrowIfTemporary(thrown: unknown, what: string): void {
    if (hasCode(thrown, 'UNAVAILABLE')) throw thrown;
    this.#parts.counters.writeFailures++;
    this.#parts.logger.error({ err: thrown }, `${what} refused by the bus and dropped`);
  }

  #failFlushes(): void {
    for (const waiter of this.#flushed.splice(0)) waiter.reject(awayError());
  }
}

/** Its session's record is stored, or never will be. */
function isReady({ session }: PendingEvent): boolean {
  return session.stored || session.removed || !session.dirty;
}

/** For an event of a session that has no record (any more). */
function ownerless(sessionId: string): SessionState {
  return {
    sessionId,
    encode: () => new Uint8Array(0),
    dirty: false,
    writing: false,
    stored: false,
    removed: true,
    waitingEvents: 0,
  };
}

function awayError(): ServiceError {
  return ServiceError.unavailable('BUS_AWAY', 'what was written waits for the message bus to return');
}

function awayBufferFull(): ServiceError {
  return ServiceError.exhausted('AWAY_BUFFER_FULL', 'too much waits to be written to the message bus', 1_000);
}
