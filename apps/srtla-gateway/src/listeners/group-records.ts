import { createHash } from 'node:crypto';
import type { Logger } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { RecordStore } from '../records/record-store.ts';
import { endpoint } from './endpoint.ts';
import type { LiveGroup } from './live-group.ts';

/** How far what is stored of a group's last sign of life may lie behind. */
const REFRESH_MS = 10_000;
const KEY_LETTERS = 32;

/** What was left for us of a listener's groups. */
export interface LeftGroups {
  readonly groups: srtla.GroupRecord[];
  /** Keys in hexadecimal, the latest last. */
  readonly endedKeys: string[];
}

/** Records of groups whose stream can go on when the process is started again, and of those whose must not. */
export class GroupRecords {
  readonly #store: RecordStore;
  readonly #log: Logger;
  readonly #resumeWithinMs: number;
  readonly #tombstoneMs: number;

  /** `tombstoneMs`: how long an id is of use to who shows it. */
  constructor(store: RecordStore, options: { resumeWithinMs: number; tombstoneMs: number }, log: Logger) {
    this.#store = store;
    this.#log = log;
    this.#resumeWithinMs = options.resumeWithinMs;
    this.#tombstoneMs = options.tombstoneMs;
  }

  /** What the last instance left of a listener that is ours now: its port is, so nobody writes there any more. What is of no use goes. */
  async takeLeft(listenerName: string, unixMs: number): Promise<LeftGroups> {
    const groups: srtla.GroupRecord[] = [];
    const tombstones: srtla.GroupTombstone[] = [];
    for (const [key, value] of await this.#store.load(`${listenerName}.`)) {
      const record = decode(value);
      if (record?.$case === 'group' && this.#isOfUse(record.value, unixMs)) {
        groups.push(record.value);
      } else if (record?.$case === 'tombstone' && unixMs - timeOf(record.value.endTime) <= this.#tombstoneMs) {
        tombstones.push(record.value);
      } else {
        this.#store.remove(key);
      }
    }
    if (groups.length > 0) this.#log.info({ listener: listenerName, groups: groups.length }, 'groups of before go on');
    tombstones.sort((a, b) => timeOf(a.endTime) - timeOf(b.endTime));
    return { groups, endedKeys: tombstones.map(({ key }) => Buffer.from(key).toString('hex')) };
  }

  /** Removes what is of no use to anybody, also of listeners that never come back. */
  async sweep(unixMs: number): Promise<void> {
    for (const [key, value] of await this.#store.load()) {
      const record = decode(value);
      if (record?.$case === 'group' && unixMs - timeOf(record.value.seenTime) <= this.#tombstoneMs) continue;
      if (record?.$case === 'tombstone' && unixMs - timeOf(record.value.endTime) <= this.#tombstoneMs) continue;
      this.#store.remove(key);
    }
  }

  /**
   * What the lost owner of a group has left on another node, which leaves it to us. `ended`: nobody may come back with its id. Undefined:
   * nothing that is of use.
   */
  async takeForeign(listenerName: string, groupId: string): Promise<srtla.GroupRecord | 'ended' | undefined> {
    const value = await this.#store.takeForeign(keyOf(listenerName, groupId));
    const record = value === undefined ? undefined : decode(value);
    if (value !== undefined && record?.$case === 'tombstone') {
      this.#store.put(keyOf(listenerName, groupId), value);
      return 'ended';
    }
    return record?.$case === 'group' && this.#isOfUse(record.value, Date.now()) ? record.value : undefined;
  }

  /** Its stream stands, or something of it has changed. Nothing is stored of a group without a stream: its sender begins anew. */
  put(group: LiveGroup): void {
    const { stream, upstream } = group;
    if (stream === null || upstream === undefined || group.isOver) return;
    group.storedSeenUnixMs = group.seenUnixMs;
    const record: srtla.GroupRecord = {
      group: { ...group.record, statistics: undefined },
      key: Buffer.from(group.key, 'hex'),
      serverAddress: endpoint(upstream.address),
      callerSocketId: stream.callerSocketId,
      serverSocketId: stream.serverSocketId,
      established: true,
      seenTime: new Date(group.seenUnixMs),
    };
    this.#store.put(storeKey(group), encode({ $case: 'group', value: record }));
  }

  /** Its sender was heard: stored when what is stored is old. */
  seen(group: LiveGroup): void {
    if (group.seenUnixMs - group.storedSeenUnixMs >= REFRESH_MS) this.put(group);
  }

  /** It is over, or has no stream any more. */
  remove(group: LiveGroup): void {
    this.#store.remove(storeKey(group));
  }

  /** It is over, and nobody may come back with its id. */
  bury(group: LiveGroup, unixMs: number): void {
    const value: srtla.GroupTombstone = { key: Buffer.from(group.key, 'hex'), endTime: new Date(unixMs) };
    this.#store.put(storeKey(group), encode({ $case: 'tombstone', value }));
  }

  /** A record that nobody has use for. */
  forget(listenerName: string, record: srtla.GroupRecord): void {
    this.#store.remove(keyOf(listenerName, Buffer.from(record.key).toString('hex')));
  }

  stop(): Promise<void> {
    return this.#store.stop();
  }

  #isOfUse({ seenTime }: srtla.GroupRecord, unixMs: number): boolean {
    return unixMs - timeOf(seenTime) <= this.#resumeWithinMs;
  }
}

function storeKey({ listener, key }: LiveGroup): string {
  return keyOf(listener.name, key);
}

/** A group's key is a secret, and names of files are not. */
function keyOf(listenerName: string, key: string): string {
  return `${listenerName}.${createHash('sha256').update(key).digest('hex').slice(0, KEY_LETTERS)}`;
}

function encode(record: NonNullable<srtla.NodeRecord['record']>): Uint8Array {
  return srtla.NodeRecord.encode({ record }).finish();
}

function decode(value: Uint8Array): srtla.NodeRecord['record'] {
  try {
    return srtla.NodeRecord.decode(value).record;
  } catch {
    return undefined;
  }
}

function timeOf(time: Date | undefined): number {
  return time?.getTime() ?? 0;
}
