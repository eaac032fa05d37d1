import type { BusHeaders } from '../bus/bus.ts';

/** What still has to be written of a session of this instance. */
export interface SessionState {
  readonly sessionId: string;
  encode: (sessionId: string) => Uint8Array;
  /** The record changed since it was last sent. */
  dirty: boolean;
  /** Sent, no answer yet. */
  writing: boolean;
  /** A record of it is, or may be, in the bucket. */
  stored: boolean;
  removed: boolean;
  /** The bus would not have something of it, and the log says so. */
  refused: boolean;
  /** In order; the first may be in flight. */
  readonly events: OutgoingEvent[];
}

export interface OutgoingEvent {
  readonly payload: Uint8Array;
  readonly headers: BusHeaders;
  readonly messageId: string;
}

export function newSession(sessionId: string, encode: SessionState['encode']): SessionState {
  return {
    sessionId,
    encode,
    dirty: true,
    writing: false,
    stored: false,
    removed: false,
    refused: false,
    events: [],
  };
}

/** Its record is stored, or never will be: its events may go. */
export function mayPublish(session: SessionState): boolean {
  return session.stored || session.removed || !session.dirty;
}

/** The events that wait, a queue for each session: only the first of each may be in flight, which keeps their order. */
export class EventOutbox {
  readonly #talking = new Set<SessionState>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(session: SessionState, event: OutgoingEvent): void {
    session.events.push(event);
    this.#talking.add(session);
    this.#size++;
  }

  /** Sessions with an event to publish now, at most `max`. */
  ready(max: number): SessionState[] {
    const sessions: SessionState[] = [];
    for (const session of this.#talking) {
      if (sessions.length === max) break;
      if (mayPublish(session)) sessions.push(session);
    }
    return sessions;
  }

  /** The session's first event is done with. */
  shift(session: SessionState): void {
    if (!this.#talking.delete(session)) return;
    session.events.shift();
    this.#size--;
    // To the end, so that a session with much to say does not keep others waiting.
    if (session.events.length > 0) this.#talking.add(session);
  }

  clear(): void {
    this.#talking.clear();
    this.#size = 0;
  }
}
