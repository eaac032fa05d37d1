/** What a datagram on a media port is, by its first bytes (RFC 7983 7, RFC 5761 4). */
export const DatagramKind = { rtp: 0, rtcp: 1, stun: 2, dtls: 3, other: 4 } as const;
export type DatagramKind = (typeof DatagramKind)[keyof typeof DatagramKind];

const STUN_COOKIE = 0x2112a442;
const STUN_HEADER_BYTES = 20;
const RTCP_HEADER_BYTES = 4;
const RTP_HEADER_BYTES = 12;
const DTLS_RECORD_HEADER_BYTES = 13;

/** Classifies without parsing: the kind's own parser has the last word. */
export function classifyDatagram(view: DataView, offset: number, length: number): DatagramKind {
  //              +----------------+
  //              |        [0..3] -+--> STUN (with the cookie, RFC 8489 5)
  //  packet -->  |      [20..63] -+--> DTLS
  //              |    [128..191] -+--> RTP, or RTCP where the second byte is 192..223
  //              +----------------+
  if (length < RTCP_HEADER_BYTES) return DatagramKind.other;
  const first = view.getUint8(offset);
  if (first >= 128 && first <= 191) {
    const second = view.getUint8(offset + 1);
    if (second >= 192 && second <= 223) return DatagramKind.rtcp;
    return length >= RTP_HEADER_BYTES ? DatagramKind.rtp : DatagramKind.other;
  }
  if (first >= 20 && first <= 63) return length >= DTLS_RECORD_HEADER_BYTES ? DatagramKind.dtls : DatagramKind.other;
  if (first <= 3 && length >= STUN_HEADER_BYTES && view.getUint32(offset + 4) === STUN_COOKIE) return DatagramKind.stun;
  return DatagramKind.other;
}
