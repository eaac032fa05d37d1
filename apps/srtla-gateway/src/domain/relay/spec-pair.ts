import type { AddressWords } from '@mediaplane/net';
import { SealedHellos } from '../../tokens/relay-seals.ts';
import { RECEIVER_DEFAULTS } from '../receiver/options.ts';
import type { ReceiverOptions } from '../receiver/options.ts';
import { keyToHex, groupKey } from '../receiver/registry.ts';
import { ANOTHER, Bench, OURS, addressOf } from '../receiver/spec-bench.ts';
import { FOREIGN, idOf } from '../receiver/spec-packets.ts';
import { RELAY_HELLO_BYTES, RelayTraffic } from './relay-parts.ts';
import type { RelayHello, RelayPath, RelaySeals } from './relay-parts.ts';
import { RelayedLink } from './relayed-link.ts';

/** For the specs beside: two instances, wired back to back on virtual time; one owns a group, the other hands a link on. */

export const OWNER_SOCKET = addressOf(200, 7000);
export const RELAY_SOCKET = addressOf(100, 41_000);
/** The sender of the link that is handed on. */
export const ORIGIN = addressOf(1);
/** Of a group that the owner has begun. */
export const ID = idOf(9, FOREIGN);
export const MAX_PACKETS_PER_SECOND = 1000;
const INBOX = 12_000;
const BEGIN_UNIX_MS = 1.8e12;

export class Pair {
  readonly owner: Bench;
  readonly relaying: Bench;
  /** What has come to the link's sender. */
  readonly toSender: number[][] = [];
  /** Lengths of what has gone out of the relay socket. */
  readonly relayedLengths: number[] = [];
  readonly happened: string[] = [];
  /** The owner's ear: nothing comes through. */
  deaf = false;
  readonly relayed: RelayedLink;

  /** `groupId`: null where the link has not shown its id to the instance that hands it on. */
  constructor({
    groupId = keyToHex(groupKey(ID)),
    ...options
  }: Partial<ReceiverOptions> & { readonly groupId?: string | null } = {}) {
    const seals = this.seals();
    const relay = {
      options: {
        address: OWNER_SOCKET,
        maxPacketsPerSecond: MAX_PACKETS_PER_SECOND,
      },
      seals,
    };
    this.owner = new Bench({ foreignGroups: 'tell', ...options }, { relay, instanceId: ANOTHER });
    this.relaying = new Bench({ foreignGroups: 'tell' });
    const { bytes, memory } = this.relaying;
    const toOwner = (offset: number, length: number): void => {
      this.relayedLengths.push(length);
      this.#toOwner(bytes.slice(offset, offset + length));
    };
    this.relayed = new RelayedLink(
      {
        bytes,
        view: new DataView(bytes.buffer),
        memory,
        seals,
        traffic: new RelayTraffic(),
        output: {
          toOwner,
          toOwnerNow: toOwner,
          toSender: (offset, length) => this.toSender.push([...bytes.subarray(offset, offset + length)]),
        },
        events: {
          ownerSilent: () => this.happened.push('owner silent'),
          senderSilent: () => this.happened.push('sender silent'),
        },
        origin: ORIGIN,
        path: { from: RELAY_SOCKET, to: OWNER_SOCKET },
        instanceId: OURS,
        groupId,
        linkTimeoutUs: RECEIVER_DEFAULTS.linkTimeoutUs,
        firstCounter: BEGIN_UNIX_MS,
      },
      this.relaying.nowUs,
    );
    this.relaying.receiver.addRelay(this.relayed);
    this.#deliver();
  }

  /** With the owner's clock. `secret`: of the key, each byte. */
  seals(secret = 7, aheadMs = 0): RelaySeals {
    const current = { id: secret, secret: new Uint8Array(32).fill(secret) };
    const elapsedMs = (): number => (this.owner === undefined ? 0 : this.owner.nowUs / 1000);
    return new SealedHellos({ current, previous: undefined }, () => BEGIN_UNIX_MS + elapsedMs() + aheadMs);
  }

  /** Lets time pass for both, the relay's deadlines met. */
  wait(us: number): void {
    for (const untilUs = this.relaying.nowUs + us; this.relaying.nowUs < untilUs;) {
      const stepUs = Math.max(Math.min(this.relayed.nextDueUs, untilUs) - this.relaying.nowUs, 1);
      this.relaying.wait(stepUs);
      this.owner.wait(stepUs);
      this.relayed.onDeadline(this.relaying.nowUs);
      this.#deliver();
    }
  }

  /** The link's sender sends something to the instance that does not own its group. Returns what comes back to it. */
  send(datagram: ArrayLike<number>): number[][] {
    const before = this.toSender.length;
    this.relaying.fromAddress(ORIGIN, datagram);
    this.#deliver();
    return this.toSender.slice(before);
  }

  #toOwner(datagram: Uint8Array): void {
    if (!this.deaf) this.owner.fromRelay(RELAY_SOCKET, datagram);
  }

  /** What the owner has said to the relay socket. */
  #deliver(): void {
    for (const { bytes } of this.owner.relaySent.splice(0)) {
      this.relaying.bytes.set(bytes, INBOX);
      this.relayed?.onOwnerDatagram(INBOX, bytes.length);
    }
  }
}

/** A HELLO as a datagram. */
export function helloOf(seals: RelaySeals, hello: Partial<RelayHello> = {}, path: Partial<RelayPath> = {}): Uint8Array {
  const datagram = new Uint8Array(RELAY_HELLO_BYTES);
  const from: AddressWords = path.from ?? RELAY_SOCKET;
  const to: AddressWords = path.to ?? OWNER_SOCKET;
  seals.seal(datagram, { counter: 1, origin: ORIGIN, instanceId: OURS, ...hello }, { from, to });
  return datagram;
}
