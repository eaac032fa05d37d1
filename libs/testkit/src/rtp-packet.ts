/** An RTP packet (RFC 3550 5.1) as a reader of the RFC sees it: written for clarity, apart from libs/rtp that it helps to test. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

const FIXED_HEADER_BYTES = 12;

/** Null when it is not a well-formed RTP packet. CSRCs, a header extension and padding are skipped. */
export function readRtp(bytes: Uint8Array): RtpPacket | null {
  if (bytes.length < FIXED_HEADER_BYTES || bytes[0] >> 6 !== 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = FIXED_HEADER_BYTES + (bytes[0] & 0x0f) * 4;
  if (bytes[0] & 0x10) {
    if (start + 4 > bytes.length) return null;
    start += 4 + view.getUint16(start + 2) * 4;
  }
  const padding = bytes[0] & 0x20 ? bytes[bytes.length - 1] : 0;
  const end = bytes.length - padding;
  if (start > end || (bytes[0] & 0x20 && padding === 0)) return null;
  return {
    marker: bytes[1] >= 0x80,
    payloadType: bytes[1] & 0x7f,
    sequenceNumber: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: new Uint8Array(bytes.subarray(start, end)),
  };
}

/** Sequence number and timestamp are taken modulo their width. */
export function writeRtp(packet: RtpPacket): Uint8Array {
  const bytes = new Uint8Array(FIXED_HEADER_BYTES + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x80;
  bytes[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
  view.setUint16(2, packet.sequenceNumber);
  view.setUint32(4, packet.timestamp);
  view.setUint32(8, packet.ssrc);
  bytes.set(packet.payload, FIXED_HEADER_BYTES);
  return bytes;
}
