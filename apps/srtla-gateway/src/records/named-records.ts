import { srtla } from '@mediaplane/proto';
import type { RecordStore } from './record-store.ts';

interface RecordKinds {
  readonly listener: srtla.ListenerRecord;
  readonly uplink: srtla.UplinkRecord;
}

/** What the next instance on the node opens again: records of one kind, by name. */
export class NamedRecords<K extends keyof RecordKinds> {
  readonly #store: RecordStore;
  readonly #kind: K;

  constructor(store: RecordStore, kind: K) {
    this.#store = store;
    this.#kind = kind;
  }

  async load(): Promise<RecordKinds[K][]> {
    const found: RecordKinds[K][] = [];
    for (const [key, value] of await this.#store.load()) {
      const record = this.#decode(value);
      if (record === undefined) this.#store.remove(key);
      else found.push(record);
    }
    return found;
  }

  put(name: string, value: RecordKinds[K]): void {
    const record = { $case: this.#kind, value } as srtla.NodeRecord['record'];
    this.#store.put(name, srtla.NodeRecord.encode({ record }).finish());
  }

  remove(name: string): void {
    this.#store.remove(name);
  }

  stop(): Promise<void> {
    return this.#store.stop();
  }

  #decode(bytes: Uint8Array): RecordKinds[K] | undefined {
    try {
      const { record } = srtla.NodeRecord.decode(bytes);
      const kinds: Partial<RecordKinds> = record === undefined ? {} : { [record.$case]: record.value };
      return kinds[this.#kind];
    } catch {
      return undefined;
    }
  }
}
