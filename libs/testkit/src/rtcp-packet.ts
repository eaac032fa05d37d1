/** RTCP (RFC 3550 6) as a reader of the RFC sees it, apart from libs/rtp that it helps to test. */
export interface ReportBlock {
  readonly ssrc: number;
  /** 0 to 255: of 256. */
  readonly fractionLost: number;
  /** Signed 24 bits: duplicates can make it negative. */
  readonly cumulativeLost: number;
  readonly extendedSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last SR, 0 if there was none. */
  readonly lastSr: number;
  /** In 1/65536 s. */
  readonly delaySinceLastSr: number;
}

export type RtcpPacket =
  | {
      readonly type: 'SR';
      readonly ssrc: number;
      readonly ntpSeconds: number;
      readonly ntpFraction: number;
      readonly rtpTimestamp: number;
      readonly packetCount: number;
      readonly octetCount: number;
      readonly reports: readonly ReportBlock[];
    }
  | { readonly type: 'RR'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly type: 'SDES'; readonly ssrc: number; readonly cname: string }
  | { readonly type: 'BYE'; readonly ssrcs: readonly number[]; readonly reason: string }
  | { readonly type: 'other'; readonly packetType: number };

const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;
const CNAME = 1;
const REPORT_BYTES = 24;

/** The packets of a compound, in order. Null when any part of it is malformed. */
export function readRtcp(bytes: Uint8Array): RtcpPacket[] | null {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length || bytes[at] >> 6 !== 2) return null;
    const end = at + 4 * (1 + ((bytes[at + 2] << 8) | bytes[at + 3]));
    if (end > bytes.length) return null;
    const packet = readOne(bytes.subarray(at, end));
    if (packet === null) return null;
    packets.push(packet);
    at = end;
  }
  return packets.length > 0 ? packets : null;
}

function readOne(bytes: Uint8Array): RtcpPacket | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes[0] & 0x1f;
  const word = (index: number): number => view.getUint32(4 * index);
  switch (bytes[1]) {
    case SR: {
      if (bytes.length < 28 + count * REPORT_BYTES) return null;
      const reports = readReports(view, 28, count);
      const sender = { rtpTimestamp: word(4), packetCount: word(5), octetCount: word(6) };
      return { type: 'SR', ssrc: word(1), ntpSeconds: word(2), ntpFraction: word(3), ...sender, reports };
    }
    case RR:
      if (bytes.length < 8 + count * REPORT_BYTES) return null;
      return { type: 'RR', ssrc: word(1), reports: readReports(view, 8, count) };
    case SDES:
      return count === 0 || bytes.length < 8 ? null : { type: 'SDES', ssrc: word(1), cname: readCname(bytes) };
    case BYE: {
      const reasonAt = 4 + 4 * count;
      if (bytes.length < reasonAt) return null;
      const reason = bytes.length > reasonAt ? bytes.subarray(reasonAt + 1, reasonAt + 1 + bytes[reasonAt]) : [];
      return {
        type: 'BYE',
        ssrcs: Array.from({ length: count }, (_, index) => word(1 + index)),
        reason: Buffer.from(reason).toString('utf8'),
      };
    }
    default:
      return { type: 'other', packetType: bytes[1] };
  }
}

function readReports(view: DataView, at: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const start = at + index * REPORT_BYTES;
    return {
      ssrc: view.getUint32(start),
      fractionLost: view.getUint8(start + 4),
      cumulativeLost: (view.getInt32(start + 4) << 8) >> 8,
      extendedSequence: view.getUint32(start + 8),
      jitter: view.getUint32(start + 12),
      lastSr: view.getUint32(start + 16),
      delaySinceLastSr: view.getUint32(start + 20),
    };
  });
}

/** The CNAME of the first chunk, '' if it has none. */
function readCname(bytes: Uint8Array): string {
  let at = 8;
  while (at + 2 <= bytes.length && bytes[at] !== 0) {
    const end = at + 2 + bytes[at + 1];
    if (bytes[at] === CNAME) return Buffer.from(bytes.subarray(at + 2, end)).toString('utf8');
    at = end;
  }
  return '';
}

/** A compound packet of those that a phone sends; `other` cannot be written. */
export function writeRtcp(packets: readonly Exclude<RtcpPacket, { type: 'other' }>[]): Uint8Array {
  return new Uint8Array(Buffer.concat(packets.map(writeOne)));
}

function writeOne(packet: Exclude<RtcpPacket, { type: 'other' }>): Uint8Array {
  switch (packet.type) {
    case 'SR': {
      const sender = [
        packet.ntpSeconds,
        packet.ntpFraction,
        packet.rtpTimestamp,
        packet.packetCount,
        packet.octetCount,
      ];
      return frame(SR, packet.reports.length, words(packet.ssrc, ...sender, ...packet.reports.flatMap(reportWords)));
    }
    case 'RR':
      return frame(RR, packet.reports.length, words(packet.ssrc, ...packet.reports.flatMap(reportWords)));
    case 'SDES': {
      const cname = Buffer.from(packet.cname);
      // The list of items ends with a null octet, and the chunk on a word boundary (RFC 3550 6.5).
      const items = Buffer.alloc((2 + cname.length + 4) & ~3);
      items.set([CNAME, cname.length, ...cname]);
      return frame(SDES, 1, Buffer.concat([words(packet.ssrc), items]));
    }
    case 'BYE': {
      const text = Buffer.from(packet.reason);
      const reason = Buffer.alloc(text.length === 0 ? 0 : (1 + text.length + 3) & ~3);
      if (text.length > 0) reason.set([text.length, ...text]);
      return frame(BYE, packet.ssrcs.length, Buffer.concat([words(...packet.ssrcs), reason]));
    }
  }
}

function reportWords(report: ReportBlock): number[] {
  const lost = (report.fractionLost << 24) | (report.cumulativeLost & 0xffffff);
  return [report.ssrc, lost, report.extendedSequence, report.jitter, report.lastSr, report.delaySinceLastSr];
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(4 * index, value));
  return bytes;
}

function frame(packetType: number, count: number, body: Uint8Array): Uint8Array {
  const lengthWords = body.length / 4;
  return Buffer.concat([Uint8Array.of(0x80 | count, packetType, lengthWords >> 8, lengthWords & 0xff), body]);
}
