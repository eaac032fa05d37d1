import { AddressTable, SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { Places } from '../receiver/places.ts';
import { RegistrationLimiter } from '../receiver/registration-rates.ts';
import type { RegistrationRates } from '../receiver/registration-rates.ts';
import { HELLO_LIFETIME_US, RELAY_HELLO_BYTES, RELAY_HELLO_TYPE, RelayCounters } from './relay-parts.ts';
import type { RelayHello, RelaySeals } from './relay-parts.ts';
import { ReplayWindow } from './replay-window.ts';

/** Longer than any HELLO is good for, so that none can be said again when its window is forgotten. */
const REMEMBER_US = 65e6;
/**
 * Each link has one HELLO a second, those of a whole fleet may come by one instance, and all at once when an owner is another. Opening one
 * costs some 45 us: forged ones take a fifth of a core at the most.
 */
const HELLO_RATES: RegistrationRates = {
  source: { perSecond: 4000, burst: 10_000 },
  network: { perSecond: 4000, burst: 10_000 },
  listener: { perSecond: 4000, burst: 10_000 },
};
const SECOND_US = 1e6;
/** Of its rate, what a link may bring at once: what waited while a thread stood still. */
const BURST_SECONDS = 0.5;

/** An address from which another instance hands on what one link sends. */
export class RelayPeer {
  /** Place in the gate's list. */
  readonly index: number;
  /** The other instance's socket, which serves this link alone. */
  readonly address: SocketAddress;
  /** Where the link's sender sends from. */
  readonly origin = new SocketAddress();
  readonly window = new ReplayWindow();
  instanceId = '';
  helloUs = -Infinity;
  /** When its rate's bucket is full again (GCRA, ITU-T I.371). */
  fullAtUs = -Infinity;

  constructor(index: number, address: AddressWords) {
    this.index = index;
    this.address = new SocketAddress().copyFrom(address);
  }
}

export interface RelayGateOptions {
  /** The relay socket's own. */
  readonly address: AddressWords;
  /** Of one link. */
  readonly maxPacketsPerSecond: number;
}

export interface RelayGateParts {
  readonly options: RelayGateOptions;
  readonly seals: RelaySeals;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Any random number. */
  readonly seed: number;
  /** Its datagrams are another link's from now on, or nobody's any more. */
  onPeerOver(peer: RelayPeer, nowUs: number): void;
}

/**
 * The owner's side of a relay: who on the private network may hand on datagrams of links. An address is let in by a HELLO, for 3 s; its
 * datagrams have no header, so what comes from it is the link's, and what goes to it goes to the link.
 */
export class RelayGate {
  readonly counters = new RelayCounters();
  readonly #parts: RelayGateParts;
  readonly #table: AddressTable;
  readonly #peers = new Places<RelayPeer>();
  readonly #limiter: RegistrationLimiter;
  readonly #intervalUs: number;
  readonly #toleranceUs: number;
  #living: RelayPeer[] = [];

  constructor(parts: RelayGateParts) {
    const { options, seed } = parts;
    this.#parts = parts;
    this.#table = new AddressTable(seed);
    this.#limiter = new RegistrationLimiter(HELLO_RATES, seed);
    this.#intervalUs = SECOND_US / options.maxPacketsPerSecond;
    this.#toleranceUs = BURST_SECONDS * SECOND_US;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Let in or not; undefined for one that never was. */
  find(address: AddressWords): RelayPeer | undefined {
    return this.#peers.get(this.#table.get(address));
  }

  /** Whose datagram it is; undefined when it is a HELLO, or comes to nothing. */
  admit(offset: number, length: number, from: AddressWords, nowUs: number): RelayPeer | undefined {
    const peer = this.find(from);
    if (length === RELAY_HELLO_BYTES && this.#parts.view.getUint16(offset) === RELAY_HELLO_TYPE) {
      this.#onHello(offset, length, from, peer, nowUs);
      return undefined;
    }
    if (peer === undefined || nowUs - peer.helloUs > HELLO_LIFETIME_US) {
      this.counters.unproven += 1;
      return undefined;
    }
    if (peer.fullAtUs > nowUs + this.#toleranceUs) {
      this.counters.overRate += 1;
      return undefined;
    }
    peer.fullAtUs = Math.max(peer.fullAtUs, nowUs) + this.#intervalUs;
    return peer;
  }

  /** Forgets those that have been silent for long. Call it once a second or so. */
  reap(nowUs: number): void {
    const over = this.#living.filter(({ helloUs }) => nowUs - helloUs > REMEMBER_US);
    if (over.length === 0) return;
    for (const peer of over) {
      this.#parts.onPeerOver(peer, nowUs);
      this.#table.delete(peer.address);
      this.#peers.free(peer.index);
    }
    this.#living = this.#living.filter((peer) => !over.includes(peer));
  }

  #onHello(offset: number, length: number, from: AddressWords, known: RelayPeer | undefined, nowUs: number): void {
    const { bytes, seals, options } = this.#parts;
    const datagram = bytes.subarray(offset, offset + length);
    const hello = this.#limiter.admit(from, nowUs) ? seals.open(datagram, { from, to: options.address }) : null;
    if (hello === null || known?.window.take(hello.counter) === false) {
      this.counters.hellosRefused += 1;
      return;
    }
    this.#welcome(known ?? this.#meet(from, hello), hello, nowUs);
  }

  #meet(from: AddressWords, { counter }: RelayHello): RelayPeer {
    const peer = this.#peers.take((index) => new RelayPeer(index, from));
    this.#table.set(peer.address, peer.index);
    this.#living.push(peer);
    peer.window.take(counter);
    return peer;
  }

  #welcome(peer: RelayPeer, { origin, instanceId }: RelayHello, nowUs: number): void {
    if (!peer.origin.equals(origin)) {
      if (peer.instanceId !== '') this.#parts.onPeerOver(peer, nowUs);
      peer.origin.copyFrom(origin);
    }
    peer.instanceId = instanceId;
    peer.helloUs = nowUs;
  }
}
