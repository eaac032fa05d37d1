import { setTimeout as sleep } from 'node:timers/promises';
import type { srtla } from '@mediaplane/proto';
import type { FloodNotes } from './flood-notes.ts';
import type { GroupRecords } from './group-records.ts';
import type { LiveGroup } from './live-group.ts';
import type { LiveListener } from './live-listener.ts';
import type { Totals } from './totals.ts';
import type { ListenerMedia } from './upstreams.ts';

const INTERVAL_MS = 1000;
/** How long a tick waits for a thread. */
const PATIENCE_MS = 500;

export interface SamplerParts {
  readonly media: ListenerMedia;
  listeners(): Iterable<LiveListener>;
  readonly records: GroupRecords;
  readonly totals: Totals;
  readonly floods: FloodNotes;
  /** Once a second, when all listeners were read. */
  onSamples(groups: readonly LiveGroup[]): void;
}

/** Reads the counters of all listeners once a second: for rates, watchers, metrics, the log, and for when a group was last heard. */
export class Sampler {
  readonly #parts: SamplerParts;
  readonly #timer: NodeJS.Timeout;
  readonly #reading = new Set<LiveListener>();

  constructor(parts: SamplerParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#tick(), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A group as it is now. Rejects with MediaError. */
  async statistics(group: LiveGroup): Promise<srtla.GroupStatistics | undefined> {
    const read = await this.#parts.media.command(group.listener.mediaId, 'listenerStatistics', null);
    const now = read.groups.find(({ group: serial }) => serial === group.serial);
    return now === undefined ? undefined : group.rates.at(read.sampledUs, now);
  }

  async #tick(): Promise<void> {
    const sampled: LiveGroup[] = [];
    const read = async (listener: LiveListener): Promise<void> => {
      this.#reading.add(listener);
      sampled.push(...(await this.#read(listener)));
      this.#reading.delete(listener);
    };
    // A thread that answers late is not asked twice, and keeps nobody from seeing the others.
    const idle = [...this.#parts.listeners()].filter((listener) => !this.#reading.has(listener));
    await Promise.race([Promise.all(idle.map(read)), sleep(PATIENCE_MS, undefined, { ref: false })]);
    this.#parts.onSamples([...sampled]);
  }

  async #read(listener: LiveListener): Promise<LiveGroup[]> {
    const { media, records, totals, floods } = this.#parts;
    if (!listener.isOpen) return [];
    // One whose media thread has died is mended elsewhere.
    const read = await media.command(listener.mediaId, 'listenerStatistics', null).catch(() => undefined);
    if (read === undefined) return [];
    totals.listener(listener, read);
    floods.read(listener, read);
    const unixMs = Date.now();
    return read.groups.flatMap((statistics) => {
      const group = listener.groups.get(statistics.group);
      if (group === undefined) return [];
      totals.group(group, statistics);
      group.rates.tick(read.sampledUs, statistics);
      const silentMs = Math.min(...statistics.links.map(({ heardAgoMs }) => heardAgoMs));
      if (Number.isFinite(silentMs)) group.seenUnixMs = Math.max(group.seenUnixMs, Math.round(unixMs - silentMs));
      records.seen(group);
      return [group];
    });
  }
}
