import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@mediaplane/control';
import type { AddressWords } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';
import { endpoint } from '../listeners/endpoint.ts';
import type { LiveListener } from '../listeners/live-listener.ts';
import { keyOf } from './relays.ts';

/** Between two looks at the records: strangers come at any rate, and most of them are nobody's links. */
const SEARCH_INTERVAL_MS = 1000;

interface Sought {
  readonly listener: LiveListener;
  readonly address: AddressWords;
}

export interface FoundLink extends Sought {
  /** In hexadecimal. */
  readonly groupId: string;
  /** Who had the group when its record was written. */
  readonly instanceId: string;
}

export interface LinkSearchParts {
  /** Groups of all instances. Rejects while the bus is away. */
  readonly records: { ofAll(listenerName: string, unixMs: number): Promise<srtla.GroupRecord[]> };
  onFound(link: FoundLink): void;
  readonly log: Logger;
}

/**
 * Finds the groups of links that come without a word of whose they are, as when a balancer has moved them to this instance. One look at the
 * records serves all that have come meanwhile.
 */
export class LinkSearch {
  readonly #parts: LinkSearchParts;
  readonly #sought = new Map<string, Sought>();
  #searching = false;

  constructor(parts: LinkSearchParts) {
    this.#parts = parts;
  }

  seek(listener: LiveListener, address: AddressWords): void {
    this.#sought.set(keyOf(listener, address), { listener, address });
    if (!this.#searching) void this.#searchAll();
  }

  async #searchAll(): Promise<void> {
    this.#searching = true;
    while (this.#sought.size > 0) {
      const sought = [...this.#sought.values()];
      this.#sought.clear();
      for (const listener of new Set(sought.map(({ listener }) => listener))) {
        const own = sought.filter((link) => link.listener === listener);
        await this.#search(listener, own).catch((err: unknown) =>
          this.#parts.log.warn(
            { err, listener: listener.name },
            'groups of links that moved here cannot be looked for',
          ),
        );
      }
      await sleep(SEARCH_INTERVAL_MS, undefined, { ref: false });
    }
    this.#searching = false;
  }

  async #search(listener: LiveListener, sought: readonly Sought[]): Promise<void> {
    const { records, onFound } = this.#parts;
    const byAddress = new Map<string, srtla.GroupRecord>();
    for (const record of await records.ofAll(listener.name, Date.now())) {
      for (const { address } of record.group?.links ?? []) {
        if (address === undefined) continue;
        const known = byAddress.get(textOf(address));
        if (known === undefined || seenMs(known) < seenMs(record)) byAddress.set(textOf(address), record);
      }
    }
    for (const link of sought) {
      const record = byAddress.get(textOf(endpoint(link.address)));
      if (record?.group === undefined) continue;
      const groupId = Buffer.from(record.key).toString('hex');
      onFound({ ...link, groupId, instanceId: record.group.instanceId });
    }
  }
}

function textOf({ address, port }: srtla.Endpoint): string {
  return `${address} ${port}`;
}

function seenMs({ seenTime }: srtla.GroupRecord): number {
  return seenTime?.getTime() ?? 0;
}
