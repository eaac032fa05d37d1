import { SEQUENCE_MASK } from './sequence.ts';

/** Header of every SRT packet; with fewer bytes a datagram is none. */
export const SRT_HEADER_BYTES = 16;

/** Control types on the wire (draft-sharabayko-srt-01, section 3.2, table 1). */
export const SrtControlType = {
  handshake: 0x0000,
  keepalive: 0x0001,
  ack: 0x0002,
  nak: 0x0003,
  congestionWarning: 0x0004,
  shutdown: 0x0005,
  ackack: 0x0006,
  dropRequest: 0x0007,
  peerError: 0x0008,
  userDefined: 0x7fff,
} as const;

/** What a datagram is: dense, so that it indexes counters; `SRT_KIND_NAMES[kind]` names them. */
export const SrtKind = {
  handshake: 0,
  keepalive: 1,
  ack: 2,
  nak: 3,
  congestionWarning: 4,
  shutdown: 5,
  ackack: 6,
  dropRequest: 7,
  peerError: 8,
  /** Refresh of key material (section 3.2.2), and what vendors add. */
  userDefined: 9,
  data: 10,
  /** Shorter than its kind must be, or of a control type that SRT has not; SRTLA's own packets (0x9xxx) among them. */
  unknown: 11,
} as const;
export type SrtKind = (typeof SrtKind)[keyof typeof SrtKind];

export const SRT_KIND_NAMES: readonly string[] = Object.keys(SrtKind);

/** By control type, up to `peerError`. */
const KINDS: readonly SrtKind[] = [
  SrtKind.handshake,
  SrtKind.keepalive,
  SrtKind.ack,
  SrtKind.nak,
  SrtKind.congestionWarning,
  SrtKind.shutdown,
  SrtKind.ackack,
  SrtKind.dropRequest,
  SrtKind.peerError,
];
/**
 * Least length, by control type up to `peerError`: a handshake has its fixed part, an ACK its sequence number, a NAK
 * one loss, a drop request both ends of its range. The others may end with the header; libsrt appends a word of zeros to them.
 */
const LEAST_BYTES: readonly number[] = [64, 16, 20, 20, 16, 16, 16, 24, 16];

const CONTROL_BIT = 0x80;
const TYPE_MASK = 0x7fff;
const INFORMATION_OFFSET = 4;
const TIMESTAMP_OFFSET = 8;
const DESTINATION_OFFSET = 12;
/** R in the byte that begins PP, O, KK, R and the message number. */
const RETRANSMITTED_BIT = 0x04;

/** Tells what the datagram is, whatever its bytes. What it calls by a name has the least length of that kind. */
export function srtKind(view: DataView, offset: number, length: number): SrtKind {
  // draft-sharabayko-srt-01, sections 3.1 and 3.2
  //  0                   1                   2                   3
  //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |0|                   Packet Sequence Number                    | data
  // |P P|O|K K|R|                 Message Number                    |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |1|         Control Type        |            Subtype            | control
  // |                   Type-specific Information                   |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |                           Timestamp                           | both
  // |                     Destination Socket ID                     |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  if (length < SRT_HEADER_BYTES) return SrtKind.unknown;
  if ((view.getUint8(offset) & CONTROL_BIT) === 0) return SrtKind.data;
  const type = controlType(view, offset);
  if (type === SrtControlType.userDefined) return SrtKind.userDefined;
  if (type > SrtControlType.peerError || length < LEAST_BYTES[type]) return SrtKind.unknown;
  return KINDS[type];
}

/** The check that every packet of a stream passes; `srtKind` when the answer is no. */
export function isSrtData(view: DataView, offset: number, length: number): boolean {
  return length >= SRT_HEADER_BYTES && (view.getUint8(offset) & CONTROL_BIT) === 0;
}

// The readers below want a packet of the kind they name, as `srtKind` or `isSrtData` has told.

/** 0 to 2^31 - 1, of a data packet. */
export function dataSequence(view: DataView, offset: number): number {
  return view.getUint32(offset) & SEQUENCE_MASK;
}

/** Whether a data packet was sent before (both sides have announced to set the bit: REXMITFLG, section 3.2.1.1.1). */
export function isRetransmitted(view: DataView, offset: number): boolean {
  return (view.getUint8(offset + INFORMATION_OFFSET) & RETRANSMITTED_BIT) !== 0;
}

/** As on the wire (SrtControlType, or one unheard of), of a control packet. */
export function controlType(view: DataView, offset: number): number {
  return view.getUint16(offset) & TYPE_MASK;
}

/** Type-specific information of a control packet, uint32. */
export function controlInformation(view: DataView, offset: number): number {
  return view.getUint32(offset + INFORMATION_OFFSET);
}

/** Microseconds since the sender's socket was made, uint32: wraps after 71.6 minutes. */
export function srtTimestampUs(view: DataView, offset: number): number {
  return view.getUint32(offset + TIMESTAMP_OFFSET);
}

/** The receiving socket, uint32; 0 in handshakes that ask for a connection. */
export function destinationSocketId(view: DataView, offset: number): number {
  return view.getUint32(offset + DESTINATION_OFFSET);
}

/** Writes the header of a control packet with subtype 0. */
export function writeControlHeader(
  view: DataView,
  offset: number,
  type: number,
  information: number,
  timestampUs: number,
  destination: number,
): void {
  view.setUint16(offset, (CONTROL_BIT << 8) | type);
  view.setUint16(offset + 2, 0);
  view.setUint32(offset + INFORMATION_OFFSET, information);
  view.setUint32(offset + TIMESTAMP_OFFSET, timestampUs);
  view.setUint32(offset + DESTINATION_OFFSET, destination);
}
