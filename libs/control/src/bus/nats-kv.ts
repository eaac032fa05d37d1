import { StorageType, JetStreamApiCodes, jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { KV } from '@nats-io/kv';
import type { Clock } from '../clock.ts';
import type { ServiceError } from '../errors.ts';
import type { BusKv, KvChange, KvEntry, KvOptions } from './bus.ts';
import { isStreamMissing } from './jetstream-errors.ts';
import { keyExists, requireKey, revisionMismatch } from './kv-keys.ts';
import { MessageQueue } from './message-queue.ts';
import { JETSTREAM_TIMEOUT_MS } from './nats-link.ts';
import type { NatsLink } from './nats-link.ts';
import { readOrdered } from './nats-reader.ts';

const STREAM_NAME_IN_USE = 10058;
const NOTHING = new Uint8Array(0);

export interface NatsKvOptions extends KvOptions {
  readonly replicas: number;
}

export class NatsKv implements BusKv {
  readonly #link: NatsLink;
  readonly #bucket: string;
  readonly #options: NatsKvOptions;
  readonly #clock: Clock;
  #opened: Promise<KV> | undefined;

  constructor(link: NatsLink, bucket: string, options: NatsKvOptions, clock: Clock) {
    this.#link = link;
    this.#bucket = bucket;
    this.#options = options;
    this.#clock = clock;
  }

  async get(key: string): Promise<KvEntry | undefined> {
    requireKey(key);
    const entry = await this.#with((kv) => kv.get(key));
    if (entry === null || entry.operation !== 'PUT') return undefined;
    return { key, value: entry.value, revision: entry.revision };
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    requireKey(key);
    return this.#with((kv) => kv.create(key, value), keyExists(key));
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    requireKey(key);
    return this.#with((kv) => kv.update(key, value, revision), revisionMismatch(key, revision));
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    requireKey(key);
    return this.#with((kv) => kv.put(key, value));
  }

  /** Purges the key's subject: a delete marker would stay in the bucket for ever. */
  async delete(key: string): Promise<void> {
    requireKey(key);
    await this.#with(async () => {
      const manager = await jetstream(this.#link.connection).jetstreamManager(false);
      await manager.streams.purge(this.#stream, { filter: this.#subject(key) });
    });
    this.#link.connection.publish(this.#removedSubject(key), NOTHING);
  }

  async keys(filter = '>'): Promise<string[]> {
    return this.#with(async (kv) => {
      const keys: string[] = [];
      for await (const key of await kv.keys(filter)) keys.push(key);
      return keys;
    });
  }

  async entries(filter = '>'): Promise<KvEntry[]> {
    return this.#with(async (kv) => {
      const last = new Map<string, KvEntry>();
      for await (const { key, value, revision, operation } of await kv.history({ key: filter })) {
        if (operation === 'PUT') last.set(key, { key, value, revision });
        else last.delete(key);
      }
      return [...last.values()];
    });
  }

  async *watch(options: { readonly filter?: string; readonly signal: AbortSignal }): AsyncGenerator<KvChange> {
    const { filter = '>', signal } = options;
    const changes = new MessageQueue<KvChange>();
    const prefix = this.#removedSubject('');
    const removals = this.#link.connection.subscribe(this.#removedSubject(filter), {
      callback: (error, message) => {
        if (error === null) void this.#tellRemoval(message.subject.slice(prefix.length), changes);
      },
    });
    const stop = (): void => changes.end();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const last = await this.#with(async (kv) => (await kv.status()).streamInfo.state.last_seq);
      for (const entry of await this.entries(filter)) yield { kind: 'put', entry };
      yield { kind: 'ready' };
      void this.#tellPuts(filter, last + 1, signal, changes);
      for (let change = await changes.next(); change !== undefined && !signal.aborted; change = await changes.next()) {
        yield change;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      removals.unsubscribe();
    }
  }

  size(): Promise<number> {
    return this.#with(async (kv) => (await kv.status()).values);
  }

  async #tellPuts(filter: string, from: number, signal: AbortSignal, changes: MessageQueue<KvChange>): Promise<void> {
    const prefix = this.#subject('');
    const read = {
      stream: this.#stream,
      filterSubject: this.#subject(filter),
      from,
      signal,
      check: async () => undefined,
    };
    for await (const message of readOrdered(this.#link, this.#clock, read)) {
      const entry = { key: message.subject.slice(prefix.length), value: message.data, revision: message.seq };
      changes.push({ kind: 'put', entry });
    }
  }

  /** The key may have been written again since: the notice and the write come by different ways. */
  async #tellRemoval(key: string, changes: MessageQueue<KvChange>): Promise<void> {
    const entry = await this.get(key).catch(() => undefined);
    if (entry === undefined) changes.push({ kind: 'delete', key });
  }

  get #stream(): string {
    return `KV_${this.#bucket}`;
  }

  #subject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  #removedSubject(key: string): string {
    return `mp.v1.removed.${this.#bucket}.${key}`;
  }

  /** `conflict`: what a wrong last revision means for this operation. Makes the bucket again if the server has lost it. */
  #with<T>(operation: (kv: KV) => Promise<T>, conflict?: ServiceError): Promise<T> {
    return this.#link.runJetStream(
      async () => {
        try {
          return await operation(await this.#open());
        } catch (thrown) {
          if (!isStreamMissing(thrown)) throw thrown;
          this.#opened = undefined;
          return await operation(await this.#open());
        }
      },
      (apiCode) => (apiCode === JetStreamApiCodes.StreamWrongLastSequence ? conflict : undefined),
    );
  }

  #open(): Promise<KV> {
    const opening = (this.#opened ??= this.#make());
    opening.catch(() => {
      if (this.#opened === opening) this.#opened = undefined;
    });
    return opening;
  }

  async #make(): Promise<KV> {
    const client = jetstream(this.#link.connection, { timeout: JETSTREAM_TIMEOUT_MS });
    const { ttlMs, history = 1, storage = 'file', replicas } = this.#options;
    const manager = new Kvm(client);
    const options = {
      history,
      replicas,
      // A direct read may come from a replica that is behind; a lease read so would look lapsed.
      allow_direct: false,
      storage: storage === 'file' ? StorageType.File : StorageType.Memory,
      ...(ttlMs > 0 && { ttl: ttlMs }),
    };
    try {
      return await manager.create(this.#bucket, options);
    } catch (thrown) {
      // An instance of another version made it with other limits: they stand.
      if (apiCodeOf(thrown) !== STREAM_NAME_IN_USE) throw thrown;
      return await manager.open(this.#bucket, { allow_direct: false });
    }
  }
}

function apiCodeOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number' ? thrown.code : undefined;
}
