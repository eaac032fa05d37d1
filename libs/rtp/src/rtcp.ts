import { ParseError } from './errors.ts';

export const RtcpType = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  bye: 203,
  app: 204,
} as const;

/** SDES item types (RFC 3550 6.5). */
export const SdesType = {
  end: 0,
  cname: 1,
  name: 2,
  email: 3,
  phone: 4,
  location: 5,
  tool: 6,
  note: 7,
  private: 8,
} as const;

export const RTCP_HEADER_BYTES = 4;
export const SENDER_INFO_BYTES = 20;
export const REPORT_BLOCK_BYTES = 24;

const VERSION_SHIFT = 6;
const RTCP_VERSION = 2;
const PADDING_BIT = 0x20;
const COUNT_MASK = 0x1f;
const SSRC_BYTES = 4;
const APP_NAME_BYTES = 4;
/** What multiplexing reserves for RTCP (RFC 5761 4). */
const FIRST_TYPE = 192;
const LAST_TYPE = 223;

/** One report block (RFC 3550 6.4.1), filled again for every one. */
export class ReportBlock {
  /** Who is reported on, int32. */
  ssrc = 0;
  /** Since the report before, 1/256. */
  fractionLost = 0;
  /** Signed 24 bits. */
  cumulativeLost = 0;
  /** int32: the lower 16 bits are the sequence, the upper its cycles. */
  extendedSequence = 0;
  /** In clock units, int32. */
  jitter = 0;
  /** LSR, int32; 0: none yet. */
  lastSenderReport = 0;
  /** DLSR in 1/65536 s, int32. */
  delaySinceLastSenderReport = 0;
}

/**
 * Walks the packets of a compound RTCP packet. `begin` checks the whole of it, so that afterwards `next` and the readers find
 * what the counts promise; one cursor serves all packets.
 */
export class RtcpCursor {
  /** Of the packet that `next` has come to. */
  type = 0;
  /** Report blocks of SR and RR, chunks of SDES, sources of BYE, subtype of APP. */
  count = 0;
  /** Sender of SR, RR and APP, int32. 0 for others. */
  ssrc = 0;
  /** What follows the header and, in SR, RR and APP, the SSRC; without padding. Absolute. */
  bodyOffset = 0;
  bodyLength = 0;

  /** Sender info of an SR; all int32. */
  ntpSeconds = 0;
  ntpFraction = 0;
  rtpTimestamp = 0;
  packetCount = 0;
  octetCount = 0;

  /** Of the item that `nextSdesItem` has come to. */
  sdesSsrc = 0;
  sdesType = 0;
  textOffset = 0;
  textLength = 0;

  private view: DataView = EMPTY;
  private position = 0;
  private end = 0;
  private sdesPosition = 0;
  private sdesInChunk = false;

  /** Checks a compound packet by RFC 3550 A.2 and starts at its beginning. After an error there is nothing to walk. */
  begin(view: DataView, offset: number, length: number): ParseError {
    this.view = view;
    this.position = offset;
    this.end = offset;
    if (length < RTCP_HEADER_BYTES + SSRC_BYTES) return ParseError.truncated;
    const end = offset + length;
    for (let at = offset; at < end;) {
      if (end - at < RTCP_HEADER_BYTES) return ParseError.length;
      const first = view.getUint8(at);
      const type = view.getUint8(at + 1);
      const packetLength = (view.getUint16(at + 2) + 1) * 4;
      if (first >> VERSION_SHIFT !== RTCP_VERSION) return ParseError.version;
      if (type < FIRST_TYPE || type > LAST_TYPE) return ParseError.packetType;
      if (at === offset && type !== RtcpType.senderReport && type !== RtcpType.receiverReport)
        return ParseError.packetType;
      if (at + packetLength > end) return ParseError.length;
      let bodyEnd = at + packetLength;
      if ((first & PADDING_BIT) !== 0) {
        // Only the last packet may be padded (RFC 3550 6.4.1).
        const padding = view.getUint8(bodyEnd - 1);
        if (bodyEnd !== end || padding === 0 || padding > packetLength - RTCP_HEADER_BYTES) return ParseError.padding;
        bodyEnd -= padding;
      }
      if (bodyEnd - at < leastLength(type, first & COUNT_MASK)) return ParseError.length;
      at += packetLength;
    }
    this.end = end;
    return ParseError.none;
  }

  /** Comes to the next packet; false at the end. */
  next(): boolean {
    if (this.position >= this.end) return false;
    const { view, position } = this;
    // RFC 3550 6.4.1
    //  0                   1                   2                   3
    //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |V=2|P|   RC    |   PT=SR=200   |             length            | header
    // |                         SSRC of sender                        |
    // +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    // |              NTP timestamp, most significant word             | sender
    // |             NTP timestamp, least significant word             | info
    // |                         RTP timestamp                         |
    // |                     sender's packet count                     |
    // |                      sender's octet count                     |
    // +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    const first = view.getUint8(position);
    const packetEnd = position + (view.getUint16(position + 2) + 1) * 4;
    const bodyEnd = (first & PADDING_BIT) === 0 ? packetEnd : packetEnd - view.getUint8(packetEnd - 1);
    this.type = view.getUint8(position + 1);
    this.count = first & COUNT_MASK;
    this.ssrc = 0;
    this.bodyOffset = position + RTCP_HEADER_BYTES;
    if (this.type === RtcpType.senderReport || this.type === RtcpType.receiverReport || this.type === RtcpType.app) {
      this.ssrc = view.getInt32(this.bodyOffset);
      this.bodyOffset += SSRC_BYTES;
    }
    if (this.type === RtcpType.senderReport) {
      this.ntpSeconds = view.getInt32(this.bodyOffset);
      this.ntpFraction = view.getInt32(this.bodyOffset + 4);
      this.rtpTimestamp = view.getInt32(this.bodyOffset + 8);
      this.packetCount = view.getInt32(this.bodyOffset + 12);
      this.octetCount = view.getInt32(this.bodyOffset + 16);
    }
    this.bodyLength = bodyEnd - this.bodyOffset;
    this.sdesPosition = this.bodyOffset;
    this.sdesInChunk = false;
    this.position = packetEnd;
    return true;
  }

  /** Reads report block `index` (below `count`) of an SR or RR. */
  reportBlock(index: number, block: ReportBlock): void {
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |                 SSRC_1 (SSRC of first source)                 |
    // | fraction lost |       cumulative number of packets lost       |
    // |           extended highest sequence number received           |
    // |                      interarrival jitter                      |
    // |                         last SR (LSR)                         |
    // |                   delay since last SR (DLSR)                  |
    const sender = this.type === RtcpType.senderReport ? SENDER_INFO_BYTES : 0;
    const at = this.bodyOffset + sender + index * REPORT_BLOCK_BYTES;
    block.ssrc = this.view.getInt32(at);
    block.fractionLost = this.view.getUint8(at + 4);
    block.cumulativeLost = (this.view.getInt32(at + 4) << 8) >> 8;
    block.extendedSequence = this.view.getInt32(at + 8);
    block.jitter = this.view.getInt32(at + 12);
    block.lastSenderReport = this.view.getInt32(at + 16);
    block.delaySinceLastSenderReport = this.view.getInt32(at + 20);
  }

  /** Source `index` (below `count`) that a BYE takes leave of, int32. */
  byeSource(index: number): number {
    return this.view.getInt32(this.bodyOffset + index * SSRC_BYTES);
  }

  /** Sets `textOffset` and `textLength` to the reason of a BYE; false when it gives none. */
  byeReason(): boolean {
    const at = this.bodyOffset + this.count * SSRC_BYTES;
    return this.readText(at, this.bodyOffset + this.bodyLength);
  }

  /** Comes to the next item of any chunk of an SDES; false at the end, or where the rest makes no sense. */
  nextSdesItem(): boolean {
    // RFC 3550 6.5: chunks of an SSRC and items, each of type, length and text; a type of 0 ends a chunk, padded to a word.
    const end = this.bodyOffset + this.bodyLength;
    for (;;) {
      if (!this.sdesInChunk) {
        if (this.sdesPosition + SSRC_BYTES > end) return false;
        this.sdesSsrc = this.view.getInt32(this.sdesPosition);
        this.sdesPosition += SSRC_BYTES;
        this.sdesInChunk = true;
      }
      if (this.sdesPosition >= end) return false;
      this.sdesType = this.view.getUint8(this.sdesPosition);
      if (this.sdesType !== SdesType.end) {
        if (!this.readText(this.sdesPosition + 1, end)) return false;
        this.sdesPosition = this.textOffset + this.textLength;
        return true;
      }
      this.sdesPosition += 4 - ((this.sdesPosition - this.bodyOffset) & 3);
      this.sdesInChunk = false;
    }
  }

  /** The four characters of an APP packet's name, as int32; its data follow them in the body. */
  appName(): number {
    return this.view.getInt32(this.bodyOffset);
  }

  private readText(at: number, end: number): boolean {
    if (at >= end) return false;
    this.textLength = this.view.getUint8(at);
    this.textOffset = at + 1;
    return this.textOffset + this.textLength <= end;
  }
}

const EMPTY = new DataView(new ArrayBuffer(0));

/** Bytes that a packet's type and count promise. */
function leastLength(type: number, count: number): number {
  const header = RTCP_HEADER_BYTES + SSRC_BYTES;
  switch (type) {
    case RtcpType.senderReport:
      return header + SENDER_INFO_BYTES + count * REPORT_BLOCK_BYTES;
    case RtcpType.receiverReport:
      return header + count * REPORT_BLOCK_BYTES;
    case RtcpType.bye:
      return RTCP_HEADER_BYTES + count * SSRC_BYTES;
    case RtcpType.app:
      return header + APP_NAME_BYTES;
    default:
      return RTCP_HEADER_BYTES;
  }
}
