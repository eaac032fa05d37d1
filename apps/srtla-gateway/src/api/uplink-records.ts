import type { srtla } from '@mediaplane/proto';
import type { NamedRecords } from '../records/named-records.ts';
import { linkKey } from '../uplinks/settings.ts';
import type { UplinkView } from '../uplinks/view.ts';

/** How far what is stored of a link's data may lie behind. */
const DATA_REFRESH_MS = 10_000;

interface Written {
  readonly settings: string;
  readonly data: string;
  readonly atMs: number;
}

/** What is stored of uplinks: settings at once, what their links have carried now and then. */
export class UplinkRecords {
  readonly #records: NamedRecords<'uplink'>;
  /** By name. */
  readonly #written = new Map<string, Written>();

  constructor(records: NamedRecords<'uplink'>) {
    this.#records = records;
  }

  load(): Promise<srtla.UplinkRecord[]> {
    return this.#records.load();
  }

  /** With the port that it has, also where the system chose it: its encoder knows that. */
  keep({ uplinkId, settings, listen }: srtla.Uplink, { links }: UplinkView, nowMs: number): void {
    if (settings === undefined) return;
    const kept = { ...settings, listenPort: listen?.port ?? 0 };
    const dataBytes = Object.fromEntries(links.map((link) => [linkKey(link.settings), Math.round(link.usedBytes)]));
    const now: Written = { settings: JSON.stringify(kept), data: JSON.stringify(dataBytes), atMs: nowMs };
    const before = this.#written.get(settings.name);
    if (before?.settings === now.settings) {
      if (before.data === now.data || nowMs - before.atMs < DATA_REFRESH_MS) return;
    }
    this.#written.set(settings.name, now);
    this.#records.put(settings.name, { uplinkId, settings: kept, dataBytes });
  }

  remove(name: string): void {
    this.#written.delete(name);
    this.#records.remove(name);
  }
}
