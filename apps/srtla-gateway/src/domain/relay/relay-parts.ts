import type { AddressWords } from '@mediaplane/net';

/** Type of the packet by which one instance proves itself to another: in SRTLA's class, and never seen from a sender. */
export const RELAY_HELLO_TYPE = 0x9f01;
export const RELAY_HELLO_BYTES = 130;
/** How often a relaying instance says it. */
export const HELLO_INTERVAL_US = 1e6;
/** How long the owner takes datagrams after it. */
export const HELLO_LIFETIME_US = 3e6;

/** What a HELLO says: whose datagrams come from this address from now on. */
export interface RelayHello {
  /** Higher each time, over restarts too. */
  readonly counter: number;
  /** Where the relaying instance gets them from. */
  readonly origin: AddressWords;
  readonly instanceId: string;
}

/** From which socket to which other a HELLO goes: taken at another address, or from one, it proves nothing. */
export interface RelayPath {
  readonly from: AddressWords;
  readonly to: AddressWords;
}

/** Seals and opens HELLOs with the key of the fleet. */
export interface RelaySeals {
  /** Writes RELAY_HELLO_BYTES at the start of `out`. */
  seal(out: Uint8Array, hello: RelayHello, path: RelayPath): void;
  /** What a whole datagram says; null when it is not of this path, not sealed by a key of the fleet, or too old. */
  open(datagram: Uint8Array, path: RelayPath): RelayHello | null;
}

/** Of what came to the relay socket and came to nothing. */
export class RelayCounters {
  /** HELLOs that prove nothing: forged, replayed, of another path or time, or beyond the rate. */
  hellosRefused = 0;
  /** Datagrams from addresses without a HELLO of late. */
  unproven = 0;
  /** Datagrams beyond a relayed link's rate. */
  overRate = 0;
}

/** Of what a relaying instance hands to and fro. */
export class RelayTraffic {
  toOwnerPackets = 0;
  toOwnerBytes = 0;
  fromOwnerPackets = 0;
  fromOwnerBytes = 0;
}
