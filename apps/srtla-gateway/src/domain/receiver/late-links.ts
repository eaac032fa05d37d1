import type { AddressWords } from '@mediaplane/net';
import { SocketAddress } from '@mediaplane/net';
import type { Group } from './group.ts';

/** Addresses that are remembered of a group; the oldest make room. */
const MAX_ADDRESSES = 64;

interface Memory {
  /** Links of it, of now and before. */
  readonly admitted: SocketAddress[];
  /** Turned away, and said so. */
  readonly refused: SocketAddress[];
}

/**
 * Who may join a group whose SRT session stands, where late links are refused: its id crosses the wire in clear, so whoever sees it
 * could hang on to the stream. A link that was of the group before is let in again, for modems come and go.
 */
export class LateLinks {
  readonly #memories = new WeakMap<Group, Memory>();

  admit(group: Group, address: AddressWords): void {
    remember(this.#memory(group).admitted, address);
  }

  wasAdmitted(group: Group, address: AddressWords): boolean {
    return this.#memory(group).admitted.some((known) => known.equals(address));
  }

  /** Returns whether it is the first time: senders repeat themselves every second. */
  refuse(group: Group, address: AddressWords): boolean {
    const { refused } = this.#memory(group);
    if (refused.some((known) => known.equals(address))) return false;
    remember(refused, address);
    return true;
  }

  #memory(group: Group): Memory {
    const memory = this.#memories.get(group) ?? { admitted: [], refused: [] };
    this.#memories.set(group, memory);
    return memory;
  }
}

function remember(list: SocketAddress[], address: AddressWords): void {
  if (list.some((known) => known.equals(address))) return;
  list.push(new SocketAddress().copyFrom(address));
  if (list.length > MAX_ADDRESSES) list.shift();
}
