import { srtla } from '@mediaplane/proto';
import type { RecordStore } from '../records/record-store.ts';

/** Listeners that were made by call, so that the next instance on the node opens them again. Keyed by their names. */
export class ListenerRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async load(): Promise<srtla.ListenerRecord[]> {
    const found: srtla.ListenerRecord[] = [];
    for (const [key, value] of await this.#store.load()) {
      const record = decode(value);
      if (record === undefined) this.#store.remove(key);
      else found.push(record);
    }
    return found;
  }

  /** With the port that it has, also where the system chose it: its senders know that. */
  put(listener: srtla.Listener, settings: srtla.ListenerSettings, port: number): void {
    const value: srtla.ListenerRecord = { listenerId: listener.listenerId, settings: { ...settings, port } };
    const record = srtla.NodeRecord.encode({ record: { $case: 'listener', value } }).finish();
    this.#store.put(settings.name, record);
  }

  remove(name: string): void {
    this.#store.remove(name);
  }

  stop(): Promise<void> {
    return this.#store.stop();
  }
}

function decode(value: Uint8Array): srtla.ListenerRecord | undefined {
  try {
    const { record } = srtla.NodeRecord.decode(value);
    return record?.$case === 'listener' && record.value.settings !== undefined ? record.value : undefined;
  } catch {
    return undefined;
  }
}
