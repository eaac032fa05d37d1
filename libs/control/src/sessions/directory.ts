import type { BusKv, KvEntry } from '../bus/bus.ts';
import type { Codec } from '../codec.ts';
import { ITEMS_PER_TURN, nextTurn, sortPaced } from './paced.ts';
import type { Directory, DirectoryEntry } from './sessions.ts';
import type { WriteBehind } from './write-behind.ts';

interface StoredEntry {
  readonly sessionId: string;
  readonly instanceId: string;
  readonly entry: KvEntry;
}

export class SessionDirectory<Rec> implements Directory<Rec> {
  readonly #instanceId: string;
  readonly #codec: Codec<Rec>;
  readonly #records: BusKv;
  readonly #writer: WriteBehind;
  /** The sessions of this instance. */
  readonly #own = new Map<string, Rec>();

  constructor(instanceId: string, codec: Codec<Rec>, records: BusKv, writer: WriteBehind) {
    this.#instanceId = instanceId;
    this.#codec = codec;
    this.#records = records;
    this.#writer = writer;
  }

  get ownIds(): string[] {
    return [...this.#own.keys()];
  }

  put(sessionId: string, record: Rec): void {
    this.#writer.put(sessionId, this.#encode);
    this.#own.set(sessionId, record);
  }

  remove(sessionId: string): void {
    this.#own.delete(sessionId);
    this.#writer.remove(sessionId);
  }

  pending(sessionId: string): boolean {
    return this.#writer.pending(sessionId);
  }

  async list(): Promise<DirectoryEntry<Rec>[]> {
    return toArray(this.walk());
  }

  async *walk(after = ''): AsyncGenerator<DirectoryEntry<Rec>> {
    const found: (DirectoryEntry<Rec> | StoredEntry)[] = [];
    for (const stored of (await this.#records.entries()).map(toStored)) {
      if (stored.instanceId !== this.#instanceId && stored.sessionId > after) found.push(stored);
    }
    for (const [sessionId, record] of this.#own) {
      if (sessionId > after) found.push({ sessionId, instanceId: this.#instanceId, record });
    }
    yield* this.#decodeAll(await sortPaced(found, bySessionId));
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** The stored records of another instance. */
  async storedOf(instanceId: string): Promise<DirectoryEntry<Rec>[]> {
    const stored = await this.#records.entries(`${instanceId}.>`);
    return toArray(this.#decodeAll(stored.map(toStored)));
  }

  async removeStored({ instanceId, sessionId }: DirectoryEntry<Rec>): Promise<void> {
    await this.#records.delete(`${instanceId}.${sessionId}`);
  }

  /** Every session of this instance is over; returns their ids. */
  clear(): string[] {
    const ids = this.ownIds;
    this.#own.clear();
    this.#writer.abandon();
    return ids;
  }

  /** Leaves out what cannot be decoded. Takes many turns of the event loop: there may be 100,000. */
  async *#decodeAll(entries: readonly (DirectoryEntry<Rec> | StoredEntry)[]): AsyncGenerator<DirectoryEntry<Rec>> {
    let count = 0;
    for (const entry of entries) {
      if (++count % ITEMS_PER_TURN === 0) await nextTurn();
      const decoded = 'record' in entry ? entry : this.#decode(entry);
      if (decoded !== undefined) yield decoded;
    }
  }

  /** One function for all sessions: one for each is memory for each. */
  readonly #encode = (sessionId: string): Uint8Array => {
    const record = this.#own.get(sessionId);
    if (record === undefined) throw new Error(`session ${sessionId} is written, but not open`);
    return this.#codec.encode(record).finish();
  };

  #decode({ sessionId, instanceId, entry }: StoredEntry): DirectoryEntry<Rec> | undefined {
    try {
      return { sessionId, instanceId, record: this.#codec.decode(entry.value) };
    } catch {
      return undefined;
    }
  }
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const item of items) array.push(item);
  return array;
}

function toStored(entry: KvEntry): StoredEntry {
  const [instanceId, sessionId] = entry.key.split('.');
  return { sessionId, instanceId, entry };
}

function bySessionId(a: { readonly sessionId: string }, b: { readonly sessionId: string }): number {
  return a.sessionId < b.sessionId ? -1 : 1;
}
