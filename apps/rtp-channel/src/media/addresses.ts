import type { AddressWords } from './contract.ts';

/** Of a peer whose address is not known. */
export const NOWHERE: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0, port: 0 };

/** A copy as plain data, to be kept or sent to the control thread. */
export function words({ w0, w1, w2, w3, port }: AddressWords): AddressWords {
  return { w0, w1, w2, w3, port };
}

/** A copy, or null for an address that is not set. */
export function known(address: AddressWords | null): AddressWords | null {
  return address === null || address.port === 0 ? null : words(address);
}

export function sameAddress(a: AddressWords | null, b: AddressWords | null): boolean {
  if (!a || !b) return a === b;
  return a.port === b.port && a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}

/** Whether the source at `at` of `PacketBatch.source` is `address`. */
export function isFrom(address: AddressWords, source: Int32Array, at: number): boolean {
  return (
    source[at + 4] === address.port &&
    source[at + 3] === address.w3 &&
    source[at + 2] === address.w2 &&
    source[at + 1] === address.w1 &&
    source[at] === address.w0
  );
}
