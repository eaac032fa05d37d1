import type { BusKv } from '../bus/bus.ts';
import type { Codec } from '../codec.ts';
import type { Directory, DirectoryEntry } from './sessions.ts';
import type { WriteBehind } from './write-behind.ts';

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
    this.#writer.put(sessionId, () => this.#codec.encode(this.#own.get(sessionId) ?? record).finish());
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
    const stored = await this.#records.entries();
    const others = stored.map((entry) => this.#decode(entry.key, entry.value)).filter((entry) => entry !== undefined);
    const own = [...this.#own].map(([sessionId, record]) => ({ sessionId, instanceId: this.#instanceId, record }));
    const all = [...others.filter((entry) => entry.instanceId !== this.#instanceId), ...own];
    return all.sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** The stored records of another instance. */
  async storedOf(instanceId: string): Promise<DirectoryEntry<Rec>[]> {
    const stored = await this.#records.entries(`${instanceId}.>`);
    return stored.map((entry) => this.#decode(entry.key, entry.value)).filter((entry) => entry !== undefined);
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

  #decode(key: string, value: Uint8Array): DirectoryEntry<Rec> | undefined {
    const [instanceId, sessionId] = key.split('.');
    try {
      return { sessionId, instanceId, record: this.#codec.decode(value) };
    } catch {
      return undefined;
    }
  }
}
