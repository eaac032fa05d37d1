import type { Bus, BusKv } from '../bus/bus.ts';
import { asNumber, asObject, asString, jsonCodec } from '../codec.ts';
import { registryBucket } from '../names.ts';
import { instanceCodec } from './instance.ts';
import type { Instance } from './instance.ts';

/**
 * What is known of an instance whether it lives or not. A lease says only that somebody lives; the registry says who there was,
 * and its revisions decide, by compare-and-set, between an instance that returns and a survivor that declares it lost.
 */
export interface Registration {
  readonly instance: Instance;
  readonly state: 'live' | 'lost';
  /** The survivor that declared it lost. */
  readonly judge: string;
  readonly declaredAtUnixMs: number;
  /** All its sessions have had their final event. The entry stays, so that the instance learns of it if it returns. */
  readonly settled: boolean;
}

export interface RegistryEntry extends Registration {
  readonly revision: number;
}

const codec = jsonCodec<Registration>((value) => {
  const record = asObject(value);
  return {
    instance: instanceCodec.decode(new TextEncoder().encode(JSON.stringify(record['instance'] ?? {}))),
    state: record['state'] === 'lost' ? 'lost' : 'live',
    judge: asString(record['judge']),
    declaredAtUnixMs: asNumber(record['declaredAtUnixMs']),
    settled: record['settled'] === true,
  };
});

export class Registry {
  readonly #kv: BusKv;

  constructor(bus: Bus, service: string) {
    this.#kv = bus.kv(registryBucket(service), { ttlMs: 0 });
  }

  async get(instanceId: string): Promise<RegistryEntry | undefined> {
    const entry = await this.#kv.get(instanceId);
    return entry && { ...codec.decode(entry.value), revision: entry.revision };
  }

  async list(): Promise<RegistryEntry[]> {
    const entries = await this.#kv.entries();
    return entries.map((entry) => ({ ...codec.decode(entry.value), revision: entry.revision }));
  }

  /** ALREADY_EXISTS if the instance is known. */
  async add(instance: Instance): Promise<void> {
    await this.#kv.create(instance.instanceId, encode(live(instance)));
  }

  /** ABORTED if somebody changed the entry meanwhile. */
  async revive(instance: Instance, revision: number): Promise<void> {
    await this.#kv.update(instance.instanceId, encode(live(instance)), revision);
  }

  /** ABORTED if somebody else was first, or the instance came back. Returns the new entry. */
  async declareLost(entry: RegistryEntry, judge: string, unixMs: number): Promise<RegistryEntry> {
    return this.#write(entry, { state: 'lost', judge, declaredAtUnixMs: unixMs, settled: false });
  }

  async settle(entry: RegistryEntry): Promise<RegistryEntry> {
    return this.#write(entry, { settled: true });
  }

  async remove(instanceId: string): Promise<void> {
    await this.#kv.delete(instanceId);
  }

  async #write(entry: RegistryEntry, change: Partial<Registration>): Promise<RegistryEntry> {
    const { revision, ...registration } = { ...entry, ...change };
    const next = await this.#kv.update(entry.instance.instanceId, encode(registration), revision);
    return { ...registration, revision: next };
  }
}

function live(instance: Instance): Registration {
  return { instance, state: 'live', judge: '', declaredAtUnixMs: 0, settled: false };
}

function encode(registration: Registration): Uint8Array {
  return codec.encode(registration).finish();
}
