import { SOURCE_WORDS } from '@mediaplane/net';
import type { AddressWords, PacketBatch } from '@mediaplane/net';

/** Whether datagram `index` of the batch came from `address`. */
export function isFrom({ source }: PacketBatch, index: number, { w0, w1, w2, w3, port }: AddressWords): boolean {
  const at = index * SOURCE_WORDS;
  return (
    source[at + 4] === port &&
    source[at + 3] === w3 &&
    source[at + 2] === w2 &&
    source[at + 1] === w1 &&
    source[at] === w0
  );
}
