import type { srtla } from '@mediaplane/proto';
import type { NamedRecords } from '../records/named-records.ts';
import { linkKey } from '../uplinks/settings.ts';
import type { LinkView } from '../uplinks/view.ts';

/** How far what is stored of a link's data may lie behind. */
const DATA_REFRESH_MS = 10_000;

export interface KeptUplink {
  readonly uplink: srtla.Uplink;
  readonly links: readonly Pick<LinkView, 'settings' | 'usedBytes'>[];
  readonly configured: boolean;
}

interface Written {
  readonly id: string;
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
  keep({ uplink, links, configured }: KeptUplink, nowMs: number): void {
    const { uplinkId, settings, listen } = uplink;
    if (settings === undefined) return;
    const kept = { ...settings, listenPort: listen?.port ?? 0 };
    const dataBytes = Object.fromEntries(links.map((link) => [linkKey(link.settings), Math.round(link.usedBytes)]));
    const now: Written = { id: uplinkId, settings: JSON.stringify(kept), data: JSON.stringify(dataBytes), atMs: nowMs };
    const before = this.#written.get(settings.name);
    if (before?.id === now.id && before.settings === now.settings) {
      if (before.data === now.data || nowMs - before.atMs < DATA_REFRESH_MS) return;
    }
    this.#written.set(settings.name, now);
    this.#records.put(settings.name, { uplinkId, settings: kept, dataBytes, configured });
  }

  remove(name: string): void {
    this.#written.delete(name);
    this.#records.remove(name);
  }
}
