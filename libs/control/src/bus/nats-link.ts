import type { NatsConnection } from '@nats-io/transport-node';
import { JetStreamApiError } from '@nats-io/jetstream';
import { ServiceError } from '../errors.ts';
import type { BusState } from './bus.ts';
import { fromNatsError } from './jetstream-errors.ts';
import { busAway } from './request-wire.ts';

/** How long a JetStream call may take; a leader election takes a few seconds. */
export const JETSTREAM_TIMEOUT_MS = 4_000;

/**
 * The state of one NATS connection, and the rule that every call fails at once when it is away: nats.js itself would hold a
 * call back until the connection returns or its time is up.
 */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly #listeners = new Set<(state: BusState) => void>();
  #state: BusState = 'connected';

  constructor(connection: NatsConnection) {
    this.connection = connection;
    void this.#follow();
  }

  get state(): BusState {
    return this.#state;
  }

  onStateChange(listener: (state: BusState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs a call that needs the server; rejects with BUS_AWAY if the connection is away or goes away meanwhile. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#state === 'away') throw busAway();
    let stop = (): void => undefined;
    const away = new Promise<never>((_, reject) => {
      stop = this.onStateChange(() => reject(busAway()));
    });
    try {
      return await Promise.race([operation(), away]);
    } finally {
      stop();
    }
  }

  /** `run` for JetStream: its failures become ServiceErrors, first those that `expected` makes something of. */
  async runJetStream<T>(
    operation: () => Promise<T>,
    expected?: (apiCode: number) => ServiceError | undefined,
  ): Promise<T> {
    try {
      return await this.run(operation);
    } catch (thrown) {
      if (thrown instanceof ServiceError) throw thrown;
      const apiError = thrown instanceof JetStreamApiError ? expected?.(thrown.code) : undefined;
      throw apiError ?? fromNatsError(thrown);
    }
  }

  /** Resolves when the connection is there; at once if it is, or if the signal aborts. */
  whenConnected(signal: AbortSignal): Promise<void> {
    if (this.#state === 'connected' || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        stop();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const stop = this.onStateChange((state) => state === 'connected' && finish());
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  async #follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect' || status.type === 'close') this.#set('away');
      if (status.type === 'reconnect') this.#set('connected');
    }
    this.#set('away');
  }

  #set(state: BusState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
