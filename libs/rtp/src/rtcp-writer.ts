import { REPORT_BLOCK_BYTES, RTCP_HEADER_BYTES, RtcpType, SdesType, SENDER_INFO_BYTES } from './rtcp.ts';
import type { ReportBlock } from './rtcp.ts';

const VERSION_BITS = 0x80;
const SSRC_BYTES = 4;
/** SDES text and BYE reasons have a length of one byte. */
export const MAX_RTCP_TEXT_BYTES = 255;

/** What an SR says of its sender (RFC 3550 6.4.1); all int32. */
export interface SenderInfo {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
}

/** Writes an SR, or an RR when `sender` is null, with one report block or none. Returns its length. */
export function writeReport(
  view: DataView,
  offset: number,
  ssrc: number,
  sender: SenderInfo | null,
  block: ReportBlock | null,
): number {
  let at = offset + RTCP_HEADER_BYTES;
  view.setInt32(at, ssrc);
  at += SSRC_BYTES;
  if (sender !== null) {
    view.setInt32(at, sender.ntpSeconds);
    view.setInt32(at + 4, sender.ntpFraction);
    view.setInt32(at + 8, sender.rtpTimestamp);
    view.setInt32(at + 12, sender.packetCount);
    view.setInt32(at + 16, sender.octetCount);
    at += SENDER_INFO_BYTES;
  }
  if (block !== null) {
    view.setInt32(at, block.ssrc);
    // 24 bits of cumulative loss behind the fraction: it saturates at both ends.
    view.setInt32(at + 4, Math.max(-0x800000, Math.min(0x7fffff, block.cumulativeLost)));
    view.setUint8(at + 4, block.fractionLost);
    view.setInt32(at + 8, block.extendedSequence);
    view.setInt32(at + 12, block.jitter);
    view.setInt32(at + 16, block.lastSenderReport);
    view.setInt32(at + 20, block.delaySinceLastSenderReport);
    at += REPORT_BLOCK_BYTES;
  }
  const type = sender === null ? RtcpType.receiverReport : RtcpType.senderReport;
  return writeHeader(view, offset, block === null ? 0 : 1, type, at - offset);
}

/** Writes an SDES with the CNAME (1 to 255 bytes of UTF-8) of one source. Returns its length. */
export function writeSdesCname(view: DataView, offset: number, ssrc: number, cname: Uint8Array): number {
  let at = offset + RTCP_HEADER_BYTES;
  view.setInt32(at, ssrc);
  at += SSRC_BYTES;
  view.setUint8(at++, SdesType.cname);
  at = writeText(view, at, cname);
  // At least one zero ends the chunk.
  do view.setUint8(at++, 0);
  while (((at - offset) & 3) !== 0);
  return writeHeader(view, offset, 1, RtcpType.sourceDescription, at - offset);
}

/** Writes a BYE of one source; `reason` is UTF-8 of 0 to 255 bytes. Returns its length. */
export function writeBye(view: DataView, offset: number, ssrc: number, reason: Uint8Array): number {
  let at = offset + RTCP_HEADER_BYTES;
  view.setInt32(at, ssrc);
  at += SSRC_BYTES;
  if (reason.length > 0) at = writeText(view, at, reason);
  while (((at - offset) & 3) !== 0) view.setUint8(at++, 0);
  return writeHeader(view, offset, 1, RtcpType.bye, at - offset);
}

function writeText(view: DataView, at: number, text: Uint8Array): number {
  view.setUint8(at++, text.length);
  for (let i = 0; i < text.length; i++) view.setUint8(at++, text[i]);
  return at;
}

function writeHeader(view: DataView, offset: number, count: number, type: number, length: number): number {
  view.setUint8(offset, VERSION_BITS | count);
  view.setUint8(offset + 1, type);
  view.setUint16(offset + 2, length / 4 - 1);
  return length;
}
