import type { Bus, BusKv, BusStream } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { ServiceError, hasCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { eventSubject } from '../names.ts';
import { EVENT_FINAL, EVENT_TIME } from './event-headers.ts';
import { EventOutbox, mayPublish, newSession } from './event-outbox.ts';
import type { SessionState } from './event-outbox.ts';
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

const RETRY_MS = 250;
/** Node's timers may fire this much before the clock says so. */
const TIMER_EARLY_MS = 2;
/** Unanswered writes at a time. */
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
  /** Ended, by id; gone from here when nothing is left of them to write. */
  readonly #removed = new Map<string, SessionState>();
  readonly #outbox = new EventOutbox();
  #eventCount = 0;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  /** When records are to be written: later than events, so that short sessions need none. */
  #recordsAtMs = Infinity;
  #running = false;
  #failing = false;
  #stopped = false;
  readonly #stopFollowing: () => void;
  #flushed: { resolve(): void; reject(error: ServiceError): void }[] = [];

  constructor(parts: WriteBehindParts) {
    this.#parts = parts;
    this.#stopFollowing = parts.bus.onStateChange((state) => {
      if (state === 'away') this.#failFlushes(awayError());
    });
  }

  /** What is not yet on the bus. */
  get left(): { readonly records: number; readonly removals: number; readonly events: number } {
    return { records: this.#dirty.size, removals: this.#removed.size, events: this.#outbox.size };
  }

  put(sessionId: string, encode: (sessionId: string) => Uint8Array): void {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      if (this.#waiting() >= this.#parts.maxPendingWrites) throw awayBufferFull();
      session = newSession(sessionId, encode);
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
    const session = this.#sessions.get(sessionId) ?? this.#removed.get(sessionId);
    // Not in the directory: never put, or this instance was declared lost, and others have spoken for its sessions.
    if (session === undefined) {
      counters.eventsDropped++;
      return;
    }
    const headers = { [EVENT_TIME]: String(Math.round(clock.unixMs())), ...(final && { [EVENT_FINAL]: '1' }) };
    this.#outbox.push(session, { payload, headers, messageId: `${instanceId}.${++this.#eventCount}` });
    if (mayPublish(session)) this.#runIn(0);
    else this.#recordsIn(this.#parts.flushIntervalMs);
  }

  remove(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    session.removed = true;
    session.dirty = false;
    this.#dirty.delete(session);
    this.#removed.set(sessionId, session);
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
    this.#sessions.clear();
    this.#dirty.clear();
    this.#removed.clear();
    this.#outbox.clear();
    this.#failFlushes(abandonedError());
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
    this.#failFlushes(abandonedError());
  }

  #waiting(): number {
    return this.#dirty.size + this.#removed.size + this.#outbox.size;
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
      if (this.#outbox.ready(1).length > 0) this.#runIn(0);
    }
  }

  async #writeRecords(): Promise<void> {
    this.#recordsAtMs = Infinity;
    await inBatches([...this.#dirty], BATCH, async (session) => {
      if (!this.#dirty.delete(session)) return;
      session.dirty = false;
      session.writing = true;
      session.stored = true;
      try {
        await this.#parts.records.put(this.#key(session), session.encode(session.sessionId));
        this.#parts.counters.recordsWritten++;
      } catch (thrown) {
        if (!hasCode(thrown, 'UNAVAILABLE')) return this.#noteRefused(session, 'record', thrown);
        if (!session.removed) {
          session.dirty = true;
          this.#dirty.add(session);
        }
        throw thrown;
      } finally {
        session.writing = false;
      }
    });
  }

  async #publishEvents(): Promise<void> {
    for (;;) {
      const batch = this.#outbox.ready(BATCH);
      if (batch.length === 0) return;
      await inBatches(batch, BATCH, async (session) => {
        await this.#publishFirst(session);
        this.#outbox.shift(session);
      });
    }
  }

  /** Tried again after a failure, it is stored once all the same: the stream knows its message id. */
  async #publishFirst(session: SessionState): Promise<void> {
    const { stream, service, counters } = this.#parts;
    const { sessionId } = session;
    const { payload, headers, messageId } = session.events[0];
    try {
      await stream.publish(eventSubject(service, sessionId), payload, { headers, messageId });
      counters.eventsPublished++;
    } catch (thrown) {
      if (hasCode(thrown, 'UNAVAILABLE')) throw thrown;
      this.#noteRefused(session, 'event', thrown);
      counters.eventsDropped++;
    }
  }

  async #removeRecords(): Promise<void> {
    const batch = [...this.#removed.values()].filter((session) => session.events.length === 0);
    await inBatches(batch, BATCH, async (session) => {
      if (session.stored) {
        await this.#removeRecord(session);
      } else {
        this.#parts.counters.recordsCoalesced++;
      }
      this.#removed.delete(session.sessionId);
    });
  }

  async #removeRecord(session: SessionState): Promise<void> {
    try {
      await this.#parts.records.delete(this.#key(session));
      this.#parts.counters.recordsRemoved++;
    } catch (thrown) {
      if (hasCode(thrown, 'UNAVAILABLE')) throw thrown;
      this.#noteRefused(session, 'removal', thrown);
    }
  }

  #key({ sessionId }: SessionState): string {
    return `${this.#parts.instanceId}.${sessionId}`;
  }

  /** What the bus will never take, as a payload above its limit, would be tried for ever: it is let go. */
  #noteRefused(session: SessionState, what: 'record' | 'event' | 'removal', thrown: unknown): void {
    this.#parts.counters.writeFailures++;
    if (session.refused) return;
    session.refused = true;
    const { sessionId } = session;
    this.#parts.logger.error(
      { err: thrown, sessionId },
      `${what} refused by the bus and dropped; more are only counted`,
    );
  }

  #failFlushes(error: ServiceError): void {
    for (const waiter of this.#flushed.splice(0)) waiter.reject(error);
  }
}

function awayError(): ServiceError {
  return ServiceError.unavailable('BUS_AWAY', 'what was written waits for the message bus to return');
}

function abandonedError(): ServiceError {
  return ServiceError.unavailable('WRITES_ABANDONED', 'what was written and not yet stored is given up');
}

function awayBufferFull(): ServiceError {
  return ServiceError.exhausted('AWAY_BUFFER_FULL', 'too much waits to be written to the message bus', 1_000);
}
