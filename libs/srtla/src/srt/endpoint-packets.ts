import { FULL_ACK_BYTES } from './srt-ack.ts';
import { SEQUENCE_MASK } from './sequence.ts';
import { ExtensionType, HANDSHAKE_BYTES, HandshakeType, writeHandshakeFields } from './srt-handshake.ts';
import type { HandshakeFields, HandshakeOptions } from './srt-handshake.ts';
import { SRT_HEADER_BYTES, SrtControlType, writeControlHeader } from './srt-packet.ts';
import { encodeStreamId } from './stream-id.ts';

/**
 * What only the two ends of an SRT session write, for those who play one; a relay between them passes it on. Retransmission is not
 * here: it is the packet as it was, timestamp and all, with `markRetransmitted`.
 */

/** Payload of live mode: seven packets of an MPEG transport stream. */
export const SRT_LIVE_PAYLOAD_BYTES = 1316;
/** Enough for a conclusion with the longest stream id, and for every packet of live mode. */
export const SRT_PACKET_MAX_BYTES = 1456;

const VERSION = 5;
/** `extensionField` of a conclusion (draft-sharabayko-srt-01, section 3.2.1, table 3). */
const HAS_OPTIONS = 1;
const HAS_CONFIGURATION = 4;
const EXTENSION_HEADER_BYTES = 4;
const OPTIONS_BYTES = 12;

/** A message of one packet (PP), in order (O), not encrypted (KK). */
const SOLO_IN_ORDER = 0xe000_0000;
const MESSAGE_NUMBER_MASK = 0x3ff_ffff;
const INFORMATION_OFFSET = 4;
const RETRANSMITTED_BIT = 0x04;

const WORD_BYTES = 4;
const RANGE_BIT = 0x8000_0000;

/** Of the end that writes it, and of the other one's socket. */
export type ConclusionFields = Omit<HandshakeFields, 'version' | 'type' | 'encryption' | 'extensionField'>;

/** A conclusion without encryption; null: without a stream id. Returns its length. Throws RangeError for a stream id that is too long. */
export function writeConclusion(
  out: Uint8Array,
  fields: ConclusionFields,
  options: HandshakeOptions,
  streamId: string | null,
): number {
  writeHandshakeFields(out, {
    ...fields,
    version: VERSION,
    type: HandshakeType.conclusion,
    encryption: 0,
    extensionField: HAS_OPTIONS | (streamId === null ? 0 : HAS_CONFIGURATION),
  });
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let at = HANDSHAKE_BYTES;
  view.setUint16(at, options.isResponse ? ExtensionType.hsResponse : ExtensionType.hsRequest);
  view.setUint16(at + 2, OPTIONS_BYTES / WORD_BYTES);
  at += EXTENSION_HEADER_BYTES;
  view.setUint32(at, options.srtVersion);
  view.setUint32(at + 4, options.flags);
  view.setUint16(at + 8, options.receiverDelayMs);
  view.setUint16(at + 10, options.senderDelayMs);
  at += OPTIONS_BYTES;
  if (streamId === null) return at;
  const contents = encodeStreamId(streamId);
  view.setUint16(at, ExtensionType.streamId);
  view.setUint16(at + 2, contents.length / WORD_BYTES);
  out.set(contents, at + EXTENSION_HEADER_BYTES);
  return at + EXTENSION_HEADER_BYTES + contents.length;
}

/** Writes the header of a data packet that is a message of its own; the payload follows it. Message numbers count from 1. */
export function writeDataHeader(
  view: DataView,
  offset: number,
  sequence: number,
  messageNumber: number,
  timestampUs: number,
  destination: number,
): void {
  view.setUint32(offset, sequence & SEQUENCE_MASK);
  view.setUint32(offset + INFORMATION_OFFSET, (SOLO_IN_ORDER | (messageNumber & MESSAGE_NUMBER_MASK)) >>> 0);
  view.setUint32(offset + 8, timestampUs);
  view.setUint32(offset + 12, destination);
}

/** Sets the R bit of a data packet that goes out again. */
export function markRetransmitted(view: DataView, offset: number): void {
  view.setUint8(offset + INFORMATION_OFFSET, view.getUint8(offset + INFORMATION_OFFSET) | RETRANSMITTED_BIT);
}

/** What a receiver tells with a full ACK. */
export interface FullAck {
  /** Counts from 1. */
  readonly number: number;
  /** The first packet that is still missing. */
  readonly sequence: number;
  readonly rttUs: number;
  readonly rttVarianceUs: number;
  readonly freePackets: number;
  readonly packetsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Returns FULL_ACK_BYTES. The link's capacity is not estimated: 0. */
export function writeFullAck(
  view: DataView,
  offset: number,
  ack: FullAck,
  timestampUs: number,
  destination: number,
): number {
  writeControlHeader(view, offset, SrtControlType.ack, ack.number, timestampUs, destination);
  view.setUint32(offset + 16, ack.sequence);
  view.setUint32(offset + 20, ack.rttUs);
  view.setUint32(offset + 24, ack.rttVarianceUs);
  view.setUint32(offset + 28, ack.freePackets);
  view.setUint32(offset + 32, ack.packetsPerSecond);
  view.setUint32(offset + 36, 0);
  view.setUint32(offset + 40, ack.bytesPerSecond);
  return FULL_ACK_BYTES;
}

/** Packets that are missing, both ends inclusive; `last` is below `first` across the wrap. */
export interface LossRange {
  readonly first: number;
  readonly last: number;
}

/** Reports as many of the ranges, at least one, as a packet of `room` bytes holds. Returns its length. */
export function writeNak(
  view: DataView,
  offset: number,
  ranges: readonly LossRange[],
  timestampUs: number,
  destination: number,
  room = SRT_PACKET_MAX_BYTES,
): number {
  writeControlHeader(view, offset, SrtControlType.nak, 0, timestampUs, destination);
  let at = SRT_HEADER_BYTES;
  for (const { first, last } of ranges) {
    const isRange = first !== last;
    if (at + (isRange ? 2 : 1) * WORD_BYTES > room) break;
    view.setUint32(offset + at, (isRange ? RANGE_BIT | first : first) >>> 0);
    at += WORD_BYTES;
    if (!isRange) continue;
    view.setUint32(offset + at, last);
    at += WORD_BYTES;
  }
  return at;
}
