import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Bus, Logger } from '@mediaplane/control';
import { FolderPlace } from './folder-place.ts';
import { KvPlace } from './kv-place.ts';
import type { RecordPlace } from './record-store.ts';
import { RecordStore } from './record-store.ts';

const LISTENERS = 'listeners';
const GROUPS = 'groups';
const UPLINKS = 'uplinks';

export interface StoreOptions {
  readonly bus: Bus;
  readonly log: Logger;
  /** Name of the node; '': the host name of the system. */
  readonly node: string;
  /** For the bus inside the process; '': nothing outlives the process. */
  readonly folder: string;
  /** How long what is left of a group is of use. */
  readonly groupTtlMs: number;
}

export interface NodeStores {
  readonly listeners: RecordStore;
  readonly groups: RecordStore;
  readonly uplinks: RecordStore;
}

/** Where this node's records are: the bus where that outlives the process, else a folder. */
export function openStores(options: StoreOptions): NodeStores {
  const { bus, log, folder, groupTtlMs } = options;
  const node = nodeKey(options.node === '' ? hostname() : options.node);
  const place = (name: string, ttlMs: number): RecordPlace =>
    bus.system === 'in_process' && folder !== ''
      ? new FolderPlace(join(folder, node, name))
      : new KvPlace(bus.kv(`mp_v1_srtla-gateway_node_${name}`, { ttlMs }), node);
  return {
    listeners: new RecordStore(place(LISTENERS, 0), log),
    groups: new RecordStore(place(GROUPS, groupTtlMs), log),
    uplinks: new RecordStore(place(UPLINKS, 0), log),
  };
}

/** A name as one token of a key and of a path: `node-1=2eexample=2enet`. */
export function nodeKey(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, (character) => `=${character.codePointAt(0)?.toString(16) ?? ''}`);
}
