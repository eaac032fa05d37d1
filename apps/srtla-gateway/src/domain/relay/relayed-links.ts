import { AddressTable } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { Places } from '../receiver/places.ts';
import type { RelayedLink } from './relayed-link.ts';

/** Who of a listener's senders is handed on to another instance, by address. */
export class RelayedLinks {
  readonly #table: AddressTable;
  readonly #links = new Places<RelayedLink>();

  /** @param seed any random number */
  constructor(seed: number) {
    this.#table = new AddressTable(seed);
  }

  get(from: AddressWords): RelayedLink | undefined {
    return this.#table.size === 0 ? undefined : this.#links.get(this.#table.get(from));
  }

  /** Returns false when there is one with its address. */
  add(relayed: RelayedLink): boolean {
    if (this.get(relayed.origin) !== undefined) return false;
    this.#links.take((index) => {
      this.#table.set(relayed.origin, index);
      return relayed;
    });
    return true;
  }

  remove(relayed: RelayedLink): void {
    const index = this.#table.get(relayed.origin);
    if (index < 0 || this.#links.get(index) !== relayed) return;
    this.#table.delete(relayed.origin);
    this.#links.free(index);
  }
}
