import type {
  Bus,
  BusHeaders,
  BusKv,
  BusMessage,
  BusState,
  BusStream,
  KvOptions,
  RequestHandler,
  RequestOptions,
  RespondOptions,
  StreamMessage,
  StreamOptions,
  StreamReadOptions,
  SubscribeOptions,
  Subscription,
} from '../bus/bus.ts';
import { busAway } from '../bus/request-wire.ts';
import { ServiceError } from '../errors.ts';

/** One instance's connection to a shared bus, which a test can cut and mend: a partition of that instance alone. */
export class FaultyBus implements Bus {
  readonly system;
  readonly #bus: Bus;
  readonly #listeners = new Set<(state: BusState) => void>();
  #state: BusState = 'connected';
  /** Cut, but not yet noticed: nothing passes, and calls get no answer. */
  #silent = false;
  /** Messages pass, but the streams and buckets of these names answer with errors, as when they have no leader. */
  #refused: RegExp | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.system = bus.system;
  }

  get state(): BusState {
    return this.#state;
  }

  cut(): void {
    this.#silent = false;
    this.#set('away');
  }

  /** Nothing passes any more, but the connection believes it is up, as before its pings time out. */
  cutSilently(): void {
    this.#silent = true;
  }

  refuseStorage(names = /./): void {
    this.#refused = names;
  }

  mend(): void {
    this.#silent = false;
    this.#refused = undefined;
    this.#set('connected');
  }

  onStateChange(listener: (state: BusState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(subject: string, payload: Uint8Array, headers?: BusHeaders): void {
    if (this.#passes) this.#bus.publish(subject, payload, headers);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, options?: SubscribeOptions): Subscription {
    return this.#bus.subscribe(subject, (message) => this.#passes && handler(message), options);
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    return this.#run(() => this.#bus.request(subject, payload, options));
  }

  respond(subject: string, handler: RequestHandler, options?: RespondOptions): Subscription {
    return this.#bus.respond(subject, (request) => this.#run(() => handler(request)), options);
  }

  stream(name: string, options: StreamOptions): BusStream {
    const stream = this.#bus.stream(name, options);
    return {
      publish: (subject, payload, more) => this.#runStored(name, () => stream.publish(subject, payload, more)),
      read: (more) => this.#read(stream, more),
      info: () => this.#runStored(name, () => stream.info()),
      purge: (more) => this.#runStored(name, () => stream.purge(more)),
    };
  }

  kv(bucket: string, options: KvOptions): BusKv {
    const kv = this.#bus.kv(bucket, options);
    return {
      get: (key) => this.#runStored(bucket, () => kv.get(key)),
      create: (key, value) => this.#runStored(bucket, () => kv.create(key, value)),
      update: (key, value, revision) => this.#runStored(bucket, () => kv.update(key, value, revision)),
      put: (key, value) => this.#runStored(bucket, () => kv.put(key, value)),
      delete: (key) => this.#runStored(bucket, () => kv.delete(key)),
      keys: (filter) => this.#runStored(bucket, () => kv.keys(filter)),
      entries: (filter) => this.#runStored(bucket, () => kv.entries(filter)),
      watch: (more) => kv.watch(more),
      size: () => this.#runStored(bucket, () => kv.size()),
    };
  }

  async close(): Promise<void> {
    this.cut();
  }

  get #passes(): boolean {
    return this.#state === 'connected' && !this.#silent;
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#silent) await this.#changed();
    if (this.#state === 'away') throw busAway();
    return operation();
  }

  #runStored<T>(name: string, operation: () => Promise<T>): Promise<T> {
    return this.#run(() => {
      if (this.#refused?.test(name) === true) throw ServiceError.unavailable('BUS_FAILED', `no leader for ${name}`);
      return operation();
    });
  }

  /** Holds messages back while cut: the reader goes on where it was. */
  async *#read(stream: BusStream, options: StreamReadOptions): AsyncGenerator<StreamMessage> {
    for await (const message of stream.read(options)) {
      while (!this.#passes && !options.signal.aborted) await this.#changed();
      yield message;
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.onStateChange(() => {
        stop();
        resolve();
      });
    });
  }

  #set(state: BusState): void {
    const changed = this.#state !== state || state === 'connected';
    this.#state = state;
    if (changed) for (const listener of [...this.#listeners]) listener(state);
  }
}
