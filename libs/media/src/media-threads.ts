import type { UdpSocketHandle } from '@mediaplane/net';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { MediaError } from './errors.ts';
import type { SessionSocket } from './messages.ts';
import type { MediaContract } from './program.ts';
import { ThreadHandle, type ThreadHandleOptions } from './thread-handle.ts';

const WATCH_INTERVAL_MS = 500;
/** A thread that died before it was ready is tried again after this long. */
const REBIRTH_DELAY_MS = 1000;
const DEFAULT_STALL_MS = 2000;
const DEFAULT_KILL_MS = 10_000;

const tracer = trace.getTracer('@mediaplane/media');

/** A span around what a media thread is asked to do: the last link of the trace that began with a gRPC call. */
async function traced<T>(operation: string, sessionId: string, work: () => Promise<T>): Promise<T> {
  const span = tracer.startSpan(`media ${operation}`, { attributes: { 'mediaplane.session.id': sessionId } });
  try {
    return await work();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    span.end();
  }
}

export interface MediaThreadsOptions<C extends MediaContract> extends Omit<
  ThreadHandleOptions<C>,
  'thread' | 'onExit'
> {
  /** At least 1. */
  readonly threads: number;
  /** A thread that has completed no pass for this long is stalled: unhealthy. Default 2000. */
  readonly stallMs?: number;
  /** A thread stalled for this long is ended, its sessions with it, and replaced. Default 10000. */
  readonly killMs?: number;
  /** A session ended without being closed: its thread died or it threw. Its sockets are no longer attached anywhere. */
  onSessionLost(sessionId: string, sockets: readonly UdpSocketHandle[], cause: string): void;
  onThreadRestarted?(thread: number, cause: string): void;
}

interface Place<C extends MediaContract> {
  thread: ThreadHandle<C>;
  sockets: SessionSocket[];
  /** False until the thread has answered `open`; until then its failure is the caller's to handle. */
  opened: boolean;
  /** Calls of one session are carried out one after the other, so that none overtakes a move. */
  tail: Promise<unknown> | undefined;
}

/**
 * The control thread's side of all media threads: it places sessions, carries commands to them, moves them, watches the
 * threads, and knows which descriptors a dead thread leaves behind.
 */
export class MediaThreads<C extends MediaContract> {
  readonly #options: MediaThreadsOptions<C>;
  readonly #threads: ThreadHandle<C>[] = [];
  readonly #places = new Map<string, Place<C>>();
  readonly #watch: NodeJS.Timeout;
  #stopping = false;

  private constructor(options: MediaThreadsOptions<C>) {
    this.#options = options;
    this.#watch = setInterval(() => this.#checkThreads(), WATCH_INTERVAL_MS);
    this.#watch.unref();
  }

  /** Resolves when every thread is in its loop. */
  static async start<C extends MediaContract>(options: MediaThreadsOptions<C>): Promise<MediaThreads<C>> {
    const pool = new MediaThreads(options);
    for (let thread = 0; thread < options.threads; thread += 1) pool.#threads.push(pool.#spawn(thread));
    await Promise.all(pool.#threads.map((thread) => thread.ready));
    return pool;
  }

  get sessions(): number {
    return this.#places.size;
  }

  /** Each thread's counters, by number; live views of shared memory. */
  get threads(): readonly ThreadHandle<C>[] {
    return this.#threads;
  }

  /** Each thread for a status page. */
  status(): { number: number; sessions: number; datagramsReceived: number; datagramsSent: number }[] {
    return this.#threads.map(({ number, sessions, counters }) => ({
      number,
      sessions,
      datagramsReceived: counters.get('datagramsReceived'),
      datagramsSent: counters.get('datagramsSent'),
    }));
  }

  /** Why the process should be restarted; undefined while all threads are well. */
  unhealthy(): string | undefined {
    const stalled = this.stalledThreads();
    return stalled.length === 0 ? undefined : `media threads ${stalled.join(', ')} are stalled`;
  }

  /** Numbers of the threads that have completed no pass for `stallMs`. */
  stalledThreads(): number[] {
    const { stallMs = DEFAULT_STALL_MS } = this.#options;
    return this.#threads.filter((thread) => thread.silentForMs() > stallMs).map((thread) => thread.number);
  }

  /**
   * Opens a session on the thread of session `near`, else on the one with the fewest.
   * @throws MediaError `session-exists`, `attach-failed`, `command-failed`, `thread-lost`, `stopping`.
   */
  async open(
    sessionId: string,
    sockets: readonly SessionSocket[],
    init: C['init'],
    near?: string,
  ): Promise<C['opened']> {
    if (this.#stopping) throw new MediaError('stopping', 'the media threads are stopping');
    if (this.#places.has(sessionId)) throw new MediaError('session-exists', `session ${sessionId} is open`);
    const thread = (near === undefined ? undefined : this.#places.get(near)?.thread) ?? this.#emptiest();
    const opening = traced('open', sessionId, () =>
      thread.call<C['opened']>({ type: 'open', sessionId, sockets, init }),
    );
    const place: Place<C> = { thread, sockets: [...sockets], opened: false, tail: undefined };
    this.#places.set(sessionId, place);
    setTail(place, opening);
    thread.sessions += 1;
    try {
      const result = await opening;
      place.opened = true;
      return result;
    } catch (error) {
      this.#forget(sessionId);
      throw error;
    }
  }

  /** @throws MediaError `no-such-session`, `command-failed`, `thread-lost`. */
  command<K extends keyof C['commands'] & string>(
    sessionId: string,
    name: K,
    args: C['commands'][K]['args'],
  ): Promise<C['commands'][K]['result']> {
    return traced(name, sessionId, () =>
      this.#inTurn(sessionId, ({ thread }) => thread.call({ type: 'command', sessionId, name, args })),
    );
  }

  attach(sessionId: string, socket: SessionSocket): Promise<void> {
    return this.#inTurn(sessionId, async (place) => {
      await place.thread.call({ type: 'attach', sessionId, socket });
      place.sockets.push(socket);
    });
  }

  /** The handle stays open: closing it is the caller's affair. */
  detach(sessionId: string, role: number): Promise<void> {
    return this.#inTurn(sessionId, async (place) => {
      await place.thread.call({ type: 'detach', sessionId, role });
      place.sockets = place.sockets.filter((socket) => socket.role !== role);
    });
  }

  /** Ends a session and returns its last words. Its sockets are detached, not closed. */
  close(sessionId: string, closing: C['closing']): Promise<C['closed']> {
    return this.#inTurn(sessionId, async ({ thread }) => {
      try {
        return await traced('close', sessionId, () => thread.call<C['closed']>({ type: 'close', sessionId, closing }));
      } finally {
        this.#forget(sessionId);
      }
    });
  }

  /** Moves `sessionId` to the thread of `other`. Datagrams that arrive meanwhile wait in the kernel. */
  async bringTogether(sessionId: string, other: string): Promise<void> {
    const target = this.#places.get(other)?.thread;
    if (!target) throw new MediaError('no-such-session', `no session ${other}`);
    await this.#inTurn(sessionId, (place) => this.#move(sessionId, place, target));
  }

  /** Stops every thread in order: sessions that are still open end without a word. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    await Promise.all(this.#threads.map((thread) => thread.stop()));
    this.#places.clear();
  }

  async #move(sessionId: string, place: Place<C>, target: ThreadHandle<C>): Promise<void> {
    const source = place.thread;
    if (source === target) return;
    const snapshot = await source.call({ type: 'snapshot', sessionId });
    source.sessions -= 1;
    place.thread = target;
    target.sessions += 1;
    try {
      await target.call({ type: 'restore', sessionId, sockets: place.sockets, snapshot });
    } catch (error) {
      this.#lose(sessionId, `it could not move to thread ${target.number}`);
      throw error;
    }
  }

  #inTurn<T>(sessionId: string, work: (place: Place<C>) => Promise<T>): Promise<T> {
    const place = this.#places.get(sessionId);
    if (!place) return Promise.reject(new MediaError('no-such-session', `no session ${sessionId}`));
    const turn = (place.tail ?? Promise.resolve()).then(() => {
      if (this.#places.get(sessionId) !== place) throw new MediaError('no-such-session', `no session ${sessionId}`);
      return work(place);
    });
    setTail(place, turn);
    return turn;
  }

  #emptiest(): ThreadHandle<C> {
    const { stallMs = DEFAULT_STALL_MS } = this.#options;
    const fit = this.#threads.filter((thread) => thread.serves && thread.silentForMs() <= stallMs);
    // With none that is well the open fails as the thread does, and says so.
    return (fit.length > 0 ? fit : this.#threads).reduce((best, thread) =>
      thread.sessions < best.sessions ? thread : best,
    );
  }

  #forget(sessionId: string): void {
    const place = this.#places.get(sessionId);
    if (!place) return;
    this.#places.delete(sessionId);
    place.thread.sessions -= 1;
  }

  #lose(sessionId: string, cause: string): void {
    const place = this.#places.get(sessionId);
    if (!place) return;
    this.#forget(sessionId);
    if (!place.opened) return;
    this.#options.onSessionLost(
      sessionId,
      place.sockets.map((socket) => socket.handle),
      cause,
    );
  }

  #spawn(thread: number): ThreadHandle<C> {
    return new ThreadHandle<C>({
      ...this.#options,
      thread,
      onSessionFailed: (sessionId, message) => {
        this.#options.onSessionFailed?.(sessionId, message);
        this.#lose(sessionId, message);
      },
      onExit: (dead, cause) => this.#replace(dead, cause),
    });
  }

  #replace(dead: ThreadHandle<C>, cause: string): void {
    if (this.#stopping) return;
    for (const [sessionId, place] of [...this.#places]) if (place.thread === dead) this.#lose(sessionId, cause);
    this.#options.onThreadRestarted?.(dead.number, cause);
    if (dead.wasReady) this.#respawn(dead.number);
    else this.#respawnLater(dead.number);
  }

  #respawn(thread: number): void {
    if (this.#stopping) return;
    try {
      this.#threads[thread] = this.#spawn(thread);
    } catch {
      // No descriptor for a doorbell, no memory for a worker: the others go on, and this one is tried again.
      this.#respawnLater(thread);
    }
  }

  #respawnLater(thread: number): void {
    setTimeout(() => this.#respawn(thread), REBIRTH_DELAY_MS).unref();
  }

  #checkThreads(): void {
    const { killMs = DEFAULT_KILL_MS } = this.#options;
    for (const thread of this.#threads) if (thread.silentForMs() > killMs) thread.kill(`stalled for ${killMs} ms`);
  }
}

/** The next call of the session waits for `turn`, however it ends; nothing is kept of it when nobody came. */
function setTail(place: { tail: Promise<unknown> | undefined }, turn: Promise<unknown>): void {
  const settled = (): void => {
    if (place.tail === tail) place.tail = undefined;
  };
  const tail = turn.then(settled, settled);
  place.tail = tail;
}
