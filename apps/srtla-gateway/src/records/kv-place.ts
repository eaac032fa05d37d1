import type { BusKv } from '@mediaplane/control';
import type { RecordPlace } from './record-store.ts';

/** A bucket of the bus; a node's records stand under its name. */
export class KvPlace implements RecordPlace {
  readonly #kv: BusKv;
  readonly #prefix: string;

  /** `node`: as `nodeKey` makes it. */
  constructor(kv: BusKv, node: string) {
    this.#kv = kv;
    this.#prefix = `${node}.`;
  }

  async load(prefix: string): Promise<Map<string, Uint8Array>> {
    const entries = await this.#kv.entries(`${this.#prefix}${prefix}>`);
    return new Map(entries.map(({ key, value }) => [key.slice(this.#prefix.length), value]));
  }

  async write(key: string, value: Uint8Array): Promise<void> {
    await this.#kv.put(this.#prefix + key, value);
  }

  async remove(key: string): Promise<void> {
    await this.#kv.delete(this.#prefix + key);
  }

  async takeForeign(key: string): Promise<Uint8Array | undefined> {
    const [found] = await this.#kv.entries(`*.${key}`);
    if (found === undefined) return undefined;
    await this.#kv.delete(found.key);
    return found.value;
  }
}
