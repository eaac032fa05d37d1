/**
 * The packet that is sent: RTP with 20 ms of PCMU (172 bytes), its audio beginning with what a measurement needs. An engine
 * that relays bytes hands that back untouched.
 *
 *     RTP header (12) | sent at, us (float64) | stream (uint32) | magic (uint32) | 0xd5 ...
 */
export const PACKET_BYTES = 172;

const FIRST_BYTE = 0x80;
const PAYLOAD_TYPE_PCMU = 0;
const SEQUENCE_OFFSET = 2;
const TIMESTAMP_OFFSET = 4;
const SSRC_OFFSET = 8;
const SENT_AT_OFFSET = 12;
const STREAM_OFFSET = 20;
const MAGIC_OFFSET = 24;
const MAGIC = 0x6d706c74;
/** Near silence in PCMU. */
const FILL = 0xd5;
const SAMPLES_PER_PACKET = 160;

/** Writes what every packet has in common. */
export function initialisePacket(view: DataView, at: number): void {
  for (let i = 0; i < PACKET_BYTES; i += 1) view.setUint8(at + i, FILL);
  view.setUint8(at, FIRST_BYTE);
  view.setUint8(at + 1, PAYLOAD_TYPE_PCMU);
  view.setUint32(at + MAGIC_OFFSET, MAGIC);
}

export function writePacket(
  view: DataView,
  at: number,
  stream: number,
  index: number,
  ssrc: number,
  sentUs: number,
): void {
  view.setUint16(at + SEQUENCE_OFFSET, index & 0xffff);
  view.setUint32(at + TIMESTAMP_OFFSET, (index * SAMPLES_PER_PACKET) >>> 0);
  view.setUint32(at + SSRC_OFFSET, ssrc);
  view.setFloat64(at + SENT_AT_OFFSET, sentUs);
  view.setUint32(at + STREAM_OFFSET, stream);
}

/** Makes a received packet one of another source, in place: what phone B and the bare engine do. */
export function rewriteSource(view: DataView, at: number, sequence: number, ssrc: number): void {
  view.setUint16(at + SEQUENCE_OFFSET, sequence & 0xffff);
  view.setUint32(at + SSRC_OFFSET, ssrc);
}

export function isProbePacket(view: DataView, at: number, length: number): boolean {
  return length === PACKET_BYTES && view.getUint32(at + MAGIC_OFFSET) === MAGIC;
}

export function streamOf(view: DataView, at: number): number {
  return view.getUint32(at + STREAM_OFFSET);
}

export function sentAtUs(view: DataView, at: number): number {
  return view.getFloat64(at + SENT_AT_OFFSET);
}
