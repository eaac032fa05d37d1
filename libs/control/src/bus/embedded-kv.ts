import type { Clock } from '../clock.ts';
import type { BusKv, KvChange, KvEntry, KvOptions } from './bus.ts';
import { keyExists, requireKey, revisionMismatch } from './kv-keys.ts';
import { MessageQueue } from './message-queue.ts';
import { matches } from './subjects.ts';

/** Keeps the value as a string of a byte per character: a short typed array of its own takes 200 bytes more. */
class Stored implements KvEntry {
  readonly key: string;
  readonly revision: number;
  readonly writtenAtMs: number;
  readonly #bytes: string;

  constructor(key: string, value: Uint8Array, revision: number, writtenAtMs: number) {
    this.key = key;
    this.revision = revision;
    this.writtenAtMs = writtenAtMs;
    this.#bytes = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
  }

  get value(): Uint8Array {
    return Buffer.from(this.#bytes, 'latin1');
  }
}

interface Watcher {
  readonly filter: string;
  readonly queue: MessageQueue<KvChange>;
}

/** To find the first of a Map is to step over all that were deleted before it: what has expired is dropped many at a time. */
const EXPIRE_INTERVAL_MS = 1_000;

/** Older revisions cannot be read through the interface, so only the last is kept, whatever `history` says. */
export class EmbeddedKv implements BusKv {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** In order of writing: what expires next comes first. */
  readonly #entries = new Map<string, Stored>();
  readonly #watchers = new Set<Watcher>();
  #revision = 0;
  #expireAtMs = 0;

  constructor(options: KvOptions, clock: Clock) {
    this.#ttlMs = options.ttlMs;
    this.#clock = clock;
  }

  async get(key: string): Promise<KvEntry | undefined> {
    requireKey(key);
    return this.#find(key);
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    requireKey(key);
    if (this.#find(key) !== undefined) throw keyExists(key);
    return this.#write(key, value);
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    requireKey(key);
    if (this.#find(key)?.revision !== revision) throw revisionMismatch(key, revision);
    return this.#write(key, value);
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    requireKey(key);
    return this.#write(key, value);
  }

  async delete(key: string): Promise<void> {
    requireKey(key);
    if (this.#entries.delete(key)) this.#tell(key, { kind: 'delete', key });
  }

  async keys(filter = '>'): Promise<string[]> {
    return (await this.entries(filter)).map((entry) => entry.key);
  }

  async entries(filter = '>'): Promise<KvEntry[]> {
    this.#expire();
    const entries = [...this.#entries.values()];
    return filter === '>' ? entries : entries.filter((entry) => matches(filter, entry.key));
  }

  async *watch(options: { readonly filter?: string; readonly signal: AbortSignal }): AsyncGenerator<KvChange> {
    const { filter = '>', signal } = options;
    const watcher: Watcher = { filter, queue: new MessageQueue() };
    const stop = (): void => watcher.queue.end();
    this.#watchers.add(watcher);
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (const entry of await this.entries(filter)) yield { kind: 'put', entry };
      yield { kind: 'ready' };
      while (!signal.aborted) {
        const change = await watcher.queue.next();
        if (change === undefined) return;
        yield change;
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', stop);
    }
  }

  async size(): Promise<number> {
    this.#expire();
    return this.#entries.size;
  }

  #write(key: string, value: Uint8Array): number {
    const writtenAtMs = this.#clock.nowMs();
    if (writtenAtMs >= this.#expireAtMs) {
      this.#expire();
      this.#expireAtMs = writtenAtMs + EXPIRE_INTERVAL_MS;
    }
    const entry = new Stored(key, value, ++this.#revision, writtenAtMs);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#tell(key, { kind: 'put', entry });
    return entry.revision;
  }

  #find(key: string): KvEntry | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#isExpired(entry) ? undefined : entry;
  }

  #isExpired({ writtenAtMs }: Stored): boolean {
    return this.#ttlMs > 0 && this.#clock.nowMs() - writtenAtMs >= this.#ttlMs;
  }

  #expire(): void {
    if (this.#ttlMs === 0) return;
    for (const [key, entry] of this.#entries) {
      if (!this.#isExpired(entry)) return;
      this.#entries.delete(key);
    }
  }

  #tell(key: string, change: KvChange): void {
    for (const watcher of this.#watchers) if (matches(watcher.filter, key)) watcher.queue.push(change);
  }
}
