import { Worker } from 'node:worker_threads';
import { closeDoorbell, closeLeftDescriptors, createDoorbell, ring, type DoorbellHandle } from '@mediaplane/net';
import { createMonotonicClock } from './clock.ts';
import { SharedCounters, THREAD_COUNTERS, type ThreadCounter } from './counters.ts';
import { MediaError, type MediaErrorCode } from './errors.ts';
import type { FromThread, ThreadSettings, ToThread } from './messages.ts';
import type { MediaContract } from './program.ts';

const DEFAULT_ARENA_BYTES = 4 << 20;
const STOP_TIMEOUT_MS = 2000;

export interface ThreadHandleOptions<C extends MediaContract> {
  readonly thread: number;
  /** Absolute URL of the module that exports `startProgram`: erasable TypeScript, run from source. */
  readonly program: URL;
  readonly programOptions?: unknown;
  readonly programCounters: readonly string[];
  readonly implementation: 'native' | 'dgram';
  /** Default true: see `PacketIoOptions`. */
  readonly batchCalls?: boolean;
  /** The most latency that coalescing may add to a datagram; 0 turns it off. */
  readonly latencyBudgetUs: number;
  readonly arenaBytes?: number;
  onEvent(sessionId: string, event: C['event']): void;
  onSessionFailed?(sessionId: string, message: string): void;
  onExit(handle: ThreadHandle<C>, cause: string): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: MediaError): void;
}

type Call<C extends MediaContract> =
  Exclude<ToThread<C>, { type: 'stop' }> extends infer M
    ? M extends { call: number }
      ? Omit<M, 'call'>
      : never
    : never;

const CODES: readonly string[] = ['no-such-session', 'command-failed'] satisfies MediaErrorCode[];

/** The control thread's end of one media thread: its worker, mailbox, doorbell and counters. */
export class ThreadHandle<C extends MediaContract> {
  readonly number: number;
  readonly counters = new SharedCounters<ThreadCounter>(THREAD_COUNTERS);
  readonly programCounters: SharedCounters<string>;
  /** Resolves when the thread is in its loop; rejects if it dies before. */
  readonly ready: Promise<void>;
  /** What became of `batchCalls`, once it is ready. */
  batchesCalls = false;
  /** Sessions placed here. */
  sessions = 0;
  readonly #options: ThreadHandleOptions<C>;
  readonly #worker: Worker;
  readonly #doorbell: DoorbellHandle;
  readonly #nowUs = createMonotonicClock();
  readonly #pending = new Map<number, Pending>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  #lastCall = 0;
  #isReady = false;
  #gone = false;
  /** Set for the rest of a turn of the event loop that has rung the doorbell. */
  #rang = false;
  #ringAgain = false;
  #leftDescriptors: readonly number[] = [];
  #cause: string | undefined;

  constructor(options: ThreadHandleOptions<C>) {
    this.#options = options;
    this.number = options.thread;
    this.programCounters = new SharedCounters(options.programCounters);
    this.#doorbell = createDoorbell(options.implementation);
    this.ready = this.#started.promise;
    // A thread that dies at birth is reported by `onExit` too; nobody has to wait for `ready`.
    this.ready.catch(() => undefined);
    const settings: ThreadSettings = {
      thread: options.thread,
      programModule: options.program.href,
      programOptions: options.programOptions,
      implementation: options.implementation,
      batchCalls: options.batchCalls ?? true,
      doorbell: this.#doorbell,
      latencyBudgetUs: options.latencyBudgetUs,
      arenaBytes: options.arenaBytes ?? DEFAULT_ARENA_BYTES,
      threadCounters: this.counters.buffer,
      programCounters: this.programCounters.buffer,
    };
    this.#worker = new Worker(new URL('./thread-main.ts', import.meta.url), {
      name: `media-${options.thread}`,
      workerData: settings,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker.on('message', (message: FromThread<C>) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#cause ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    this.#worker.on('exit', (code) => this.#exit(this.#cause ?? `the thread exited with code ${code}`));
  }

  get wasReady(): boolean {
    return this.#isReady;
  }

  /** In its loop: sessions may be placed here. */
  get serves(): boolean {
    return this.#isReady && !this.#gone;
  }

  /** Milliseconds since the last completed pass; 0 until the thread is ready. */
  silentForMs(): number {
    return this.#isReady && !this.#gone ? Math.max(this.#nowUs() / 1000 - this.counters.get('heartbeatMs'), 0) : 0;
  }

  /** Sends one message and waits for its answer. @throws MediaError */
  call<T>(message: Call<C>): Promise<T> {
    if (this.#gone) return Promise.reject(new MediaError('thread-lost', `media thread ${this.number} is gone`));
    const call = (this.#lastCall += 1);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.set(call, { resolve: resolve as (value: unknown) => void, reject });
    this.#post({ ...message, call } as ToThread<C>);
    return promise;
  }

  /** Orderly end; by force if the thread does not answer. */
  async stop(): Promise<void> {
    if (!this.#gone) {
      this.#cause ??= 'stopped';
      this.#post({ type: 'stop' });
      const timer = setTimeout(() => this.kill('it did not stop'), STOP_TIMEOUT_MS);
      await this.#exited.promise;
      clearTimeout(timer);
    }
  }

  /** Ends the thread at once; `onExit` follows. */
  kill(cause: string): void {
    this.#cause ??= cause;
    void this.#worker.terminate();
  }

  /**
   * Each ring is a system call and wakes the thread: the first message of a turn rings, so that the thread works beside this one,
   * and all further ones ring once when the turn ends.
   */
  #post(message: ToThread<C>): void {
    this.#worker.postMessage(message);
    if (this.#rang) {
      this.#ringAgain = true;
      return;
    }
    this.#rang = true;
    ring(this.#doorbell);
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    if (this.#ringAgain && !this.#gone) ring(this.#doorbell);
    this.#rang = false;
    this.#ringAgain = false;
  };

  #receive(message: FromThread<C>): void {
    switch (message.type) {
      case 'ready':
        this.counters.values[0] = this.#nowUs() / 1000;
        this.#leftDescriptors = message.descriptors;
        this.batchesCalls = message.batchesCalls;
        this.#isReady = true;
        this.#started.resolve();
        break;
      case 'stopped':
        this.#leftDescriptors = [];
        break;
      case 'reply':
        this.#take(message.call)?.resolve(message.value);
        break;
      case 'failure': {
        const code = CODES.includes(message.code) ? (message.code as MediaErrorCode) : 'command-failed';
        this.#take(message.call)?.reject(new MediaError(code, message.message));
        break;
      }
      case 'event':
        this.#options.onEvent(message.sessionId, message.event);
        break;
      case 'session-failed':
        this.#options.onSessionFailed?.(message.sessionId, message.message);
        break;
    }
  }

  #take(call: number): Pending | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    return pending;
  }

  #exit(cause: string): void {
    this.#gone = true;
    closeDoorbell(this.#doorbell);
    closeLeftDescriptors(this.#leftDescriptors);
    const error = new MediaError('thread-lost', `media thread ${this.number} ended: ${cause}`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#started.reject(error);
    this.#exited.resolve();
    this.#options.onExit(this, cause);
  }
}
