import type { Codec } from '../codec.ts';

/** The fleet-wide list of a service's sessions: one record each, written behind by its owner. */
export interface Directory<Rec> {
  /**
   * A session of this instance was opened or changed. Returns at once; throws RESOURCE_EXHAUSTED (AWAY_BUFFER_FULL) for a NEW
   * session when too much already waits for the bus to come back.
   */
  put(sessionId: string, record: Rec): void;
  /** The session ended. One opened and ended within the flush interval never reaches the bus. */
  remove(sessionId: string): void;
  /** The record, or its last change, is not yet stored: `directory_pending`. */
  pending(sessionId: string): boolean;
  /** Records of all instances in order of session id; those of this instance are as they are now, stored or not. */
  list(): Promise<DirectoryEntry<Rec>[]>;
  /** As `list`, beginning after an id; each record is decoded when it is asked for, so that a page costs no more than a page. */
  walk(after?: string): AsyncIterable<DirectoryEntry<Rec>>;
  /** Resolves when all that was put, removed and published before is stored; rejects with UNAVAILABLE while away. */
  flush(): Promise<void>;
}

export interface DirectoryEntry<Rec> {
  readonly sessionId: string;
  readonly instanceId: string;
  readonly record: Rec;
}

/** The events of a service's sessions: kept for a while, ordered per session, delivered at least once. */
export interface Events<Rec, Ev> {
  /**
   * Returns at once. Only for sessions in the directory; `final` marks a session's last event. Order at opening: `directory.put`, then `publish`; at the end:
   * `publish` with `final`, then `directory.remove`.
   */
  publish(sessionId: string, event: Ev, options?: { readonly final?: boolean }): void;
  /**
   * Without a resume token: every session there is, `snapshot-end`, then events. With one: the events after it.
   * Throws OUT_OF_RANGE (RESUME_TOKEN_TOO_OLD) and RESOURCE_EXHAUSTED (WATCH_TOO_SLOW): then start again without a token.
   */
  watch(options: WatchOptions<Rec, Ev>): AsyncIterable<WatchItem<Rec, Ev>>;
}

export interface WatchOptions<Rec, Ev> {
  readonly resumeToken?: string | undefined;
  /** Only these; empty or absent: all. */
  readonly sessionIds?: readonly string[] | undefined;
  /** Applied to each session of the snapshot and each event. */
  readonly filter?: ((item: SnapshotItem<Rec> | EventItem<Ev>) => boolean) | undefined;
  /** Default 15 s. */
  readonly heartbeatMs?: number | undefined;
  readonly signal: AbortSignal;
}

export interface SnapshotItem<Rec> {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly record: Rec;
}

export interface EventItem<Ev> {
  readonly kind: 'event';
  readonly sessionId: string;
  /** Unique in the service; also what to resume after. */
  readonly resumeToken: string;
  readonly event: Ev;
  /** When the owner published it, by the owner's clock. */
  readonly unixMs: number;
  readonly final: boolean;
}

export type WatchItem<Rec, Ev> =
  | SnapshotItem<Rec>
  | EventItem<Ev>
  | { readonly kind: 'snapshot-end'; readonly resumeToken: string }
  | { readonly kind: 'heartbeat'; readonly resumeToken: string };

export interface SessionCodecs<Rec, Ev> {
  readonly record: Codec<Rec>;
  readonly event: Codec<Ev>;
}
