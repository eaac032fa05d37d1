import { ParseError } from './errors.ts';

export const RTP_VERSION = 2;
export const RTP_FIXED_HEADER_BYTES = 12;

const VERSION_SHIFT = 6;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const CSRC_COUNT_MASK = 0x0f;
const MARKER_BIT = 0x80;
const PAYLOAD_TYPE_MASK = 0x7f;
const SEQUENCE_OFFSET = 2;
const TIMESTAMP_OFFSET = 4;
const SSRC_OFFSET = 8;
const CSRC_BYTES = 4;
const EXTENSION_HEADER_BYTES = 4;

/** `RtpHeader.extensionProfile` of a packet without a header extension. */
export const NO_EXTENSION = -1;

/** A parsed header; made once and filled again for every packet. Offsets are absolute, in the view that was parsed. */
export class RtpHeader {
  marker = false;
  /** 0 to 127. */
  payloadType = 0;
  /** 0 to 65535. */
  sequence = 0;
  /** int32, see index.ts. */
  timestamp = 0;
  /** int32, see index.ts. */
  ssrc = 0;
  csrcCount = 0;
  /** The 16 bits "defined by profile", or NO_EXTENSION. */
  extensionProfile = NO_EXTENSION;
  /** Where the elements of the extension start, behind its four bytes of header. */
  extensionOffset = 0;
  extensionLength = 0;
  payloadOffset = 0;
  /** Without padding; may be 0. */
  payloadLength = 0;
  paddingLength = 0;
}

/** Parses the RTP packet of `length` bytes at `offset`. On an error `header` is left half-filled. */
export function parseRtpHeader(view: DataView, offset: number, length: number, header: RtpHeader): ParseError {
  // RFC 3550 5.1
  //  0                   1                   2                   3
  //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |V=2|P|X|  CC   |M|     PT      |       sequence number         |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |                           timestamp                           |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |           synchronization source (SSRC) identifier            |
  // +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
  // |            contributing source (CSRC) identifiers             |
  // |                             ....                              |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |      defined by profile       |           length              |  if X
  // |                        header extension                       |
  if (length < RTP_FIXED_HEADER_BYTES) return ParseError.truncated;
  const first = view.getUint8(offset);
  if (first >> VERSION_SHIFT !== RTP_VERSION) return ParseError.version;
  const second = view.getUint8(offset + 1);
  const end = offset + length;
  header.marker = (second & MARKER_BIT) !== 0;
  header.payloadType = second & PAYLOAD_TYPE_MASK;
  header.sequence = view.getUint16(offset + SEQUENCE_OFFSET);
  header.timestamp = view.getInt32(offset + TIMESTAMP_OFFSET);
  header.ssrc = view.getInt32(offset + SSRC_OFFSET);
  header.csrcCount = first & CSRC_COUNT_MASK;

  let payload = offset + RTP_FIXED_HEADER_BYTES + header.csrcCount * CSRC_BYTES;
  if (payload > end) return ParseError.csrc;

  header.extensionProfile = NO_EXTENSION;
  header.extensionOffset = payload;
  header.extensionLength = 0;
  if ((first & EXTENSION_BIT) !== 0) {
    if (payload + EXTENSION_HEADER_BYTES > end) return ParseError.extension;
    header.extensionProfile = view.getUint16(payload);
    header.extensionOffset = payload + EXTENSION_HEADER_BYTES;
    header.extensionLength = view.getUint16(payload + 2) * 4;
    payload = header.extensionOffset + header.extensionLength;
    if (payload > end) return ParseError.extension;
  }

  header.paddingLength = 0;
  if ((first & PADDING_BIT) !== 0) {
    if (payload === end) return ParseError.padding;
    header.paddingLength = view.getUint8(end - 1);
    if (header.paddingLength === 0 || payload + header.paddingLength > end) return ParseError.padding;
  }
  header.payloadOffset = payload;
  header.payloadLength = end - payload - header.paddingLength;
  return ParseError.none;
}

/** Contributing source `index` of a parsed packet, as int32. `offset` is the packet's, `index` below `header.csrcCount`. */
export function csrcAt(view: DataView, offset: number, index: number): number {
  return view.getInt32(offset + RTP_FIXED_HEADER_BYTES + index * CSRC_BYTES);
}

/** Writes a fixed header without CSRC, extension or padding. Returns its length, RTP_FIXED_HEADER_BYTES. */
export function writeRtpHeader(
  view: DataView,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): number {
  view.setUint8(offset, RTP_VERSION << VERSION_SHIFT);
  rewriteRtp(view, offset, payloadType, marker, sequence, timestamp, ssrc);
  return RTP_FIXED_HEADER_BYTES;
}

/** Puts a packet on another line (RFC 3550 7.1, a translator's way): CSRC, extension, padding and payload stay as they are. */
export function rewriteRtp(
  view: DataView,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  view.setUint8(offset + 1, (marker ? MARKER_BIT : 0) | payloadType);
  view.setUint16(offset + SEQUENCE_OFFSET, sequence);
  view.setInt32(offset + TIMESTAMP_OFFSET, timestamp);
  view.setInt32(offset + SSRC_OFFSET, ssrc);
}
