import { plainAddress } from '@mediaplane/net';
import type { AddressWords } from './contract.ts';

/** Of a peer whose address is not known. */
export const NOWHERE: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0, port: 0 };

/** A copy, or null for an address that is not set. */
export function known(address: AddressWords | null): AddressWords | null {
  return address === null || address.port === 0 ? null : plainAddress(address);
}

export function sameAddress(a: AddressWords | null, b: AddressWords | null): boolean {
  if (!a || !b) return a === b;
  return a.port === b.port && a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}
