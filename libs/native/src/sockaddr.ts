/** `struct sockaddr_in` and `struct sockaddr_in6` of Linux, the same on x64 and arm64 (both little-endian). */

export const AF_INET = 2;
export const AF_INET6 = 10;
export type AddressFamily = typeof AF_INET | typeof AF_INET6;
/** AF_UNSPEC in place of a destination's family: no address, the socket is connected. */
export const TO_PEER = 0;
export type DestinationFamily = AddressFamily | typeof TO_PEER;

/** Room for either; the multiple of 8 keeps neighbours aligned. */
export const SOCKADDR_BYTES = 32;

const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
const PORT_OFFSET = 2;
const IPV4_OFFSET = 4;
const FLOWINFO_OFFSET = 4;
const IPV6_OFFSET = 8;
const SCOPE_OFFSET = 24;

/** The third word of a v4-mapped address, `::ffff:a.b.c.d` (RFC 4291 2.5.5.2). */
const V4_MAPPED_WORD = 0xffff;

/**
 * Writes an address whose four words are in network order, IPv4 v4-mapped. An AF_INET address takes `w3` alone: the caller
 * has made sure that it is one.
 * @returns the length that `bind` and `sendto` want; 0 for TO_PEER
 */
export function encodeSockaddr(
  view: DataView,
  offset: number,
  family: DestinationFamily,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  port: number,
): number {
  if (family === TO_PEER) return 0;
  view.setUint16(offset, family, true);
  view.setUint16(offset + PORT_OFFSET, port, false);
  if (family === AF_INET) {
    view.setInt32(offset + IPV4_OFFSET, w3, false);
    return SOCKADDR_IN_BYTES;
  }
  view.setInt32(offset + FLOWINFO_OFFSET, 0, true);
  view.setInt32(offset + IPV6_OFFSET, w0, false);
  view.setInt32(offset + IPV6_OFFSET + 4, w1, false);
  view.setInt32(offset + IPV6_OFFSET + 8, w2, false);
  view.setInt32(offset + IPV6_OFFSET + 12, w3, false);
  view.setInt32(offset + SCOPE_OFFSET, 0, true);
  return SOCKADDR_IN6_BYTES;
}

/** Reads what the kernel wrote into five words from `words[at]`: w0, w1, w2, w3, port; IPv4 comes out v4-mapped. */
export function decodeSockaddr(view: DataView, offset: number, words: Int32Array, at: number): void {
  if (view.getUint16(offset, true) === AF_INET) {
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = V4_MAPPED_WORD;
    words[at + 3] = view.getInt32(offset + IPV4_OFFSET, false);
  } else {
    words[at] = view.getInt32(offset + IPV6_OFFSET, false);
    words[at + 1] = view.getInt32(offset + IPV6_OFFSET + 4, false);
    words[at + 2] = view.getInt32(offset + IPV6_OFFSET + 8, false);
    words[at + 3] = view.getInt32(offset + IPV6_OFFSET + 12, false);
  }
  words[at + 4] = view.getUint16(offset + PORT_OFFSET, false);
}
