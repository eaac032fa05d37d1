import type { ReceivedStream } from './received-stream.ts';
import type { ReportBlock, RtcpPacket } from './rtcp-packet.ts';
import { writeRtcp } from './rtcp-packet.ts';
import type { RtpVoice } from './rtp-voice.ts';

export interface ReceivedRtcp {
  readonly arrivalUs: number;
  readonly from: { readonly address: string; readonly port: number };
  /** The packets of one compound. */
  readonly packets: readonly RtcpPacket[];
}

/** From 1900 to 1970, in seconds. */
const NTP_EPOCH_OFFSET = 2_208_988_800;

/** A phone's reports: what it tells of its own stream and of what it receives, and what it learns from the other side's. */
export class PhoneRtcp {
  readonly received: ReceivedRtcp[] = [];
  /** From the last report block about this phone that answers one of its SRs (RFC 3550 6.4.1). */
  roundTripMs: number | null = null;
  private readonly cname: string;
  private readonly lastSr = new Map<number, { middle: number; arrivalUs: number }>();
  private readonly lastCounts = new Map<number, { expected: number; received: number }>();

  constructor(cname: string) {
    this.cname = cname;
  }

  /** SR when something was sent, else RR, with SDES; `ntpMs` is Unix time in milliseconds. */
  report(voice: RtpVoice, streams: Iterable<ReceivedStream>, nowUs: number, ntpMs: number): Uint8Array {
    const { ssrc } = voice;
    const reports = [...streams].map((stream) => this.block(stream, nowUs));
    const { seconds, fraction } = ntp(ntpMs);
    const sender = { rtpTimestamp: voice.timestamp, packetCount: voice.packets, octetCount: voice.octets };
    const first: RtcpPacket =
      voice.packets > 0
        ? { type: 'SR', ssrc, ntpSeconds: seconds, ntpFraction: fraction, ...sender, reports }
        : { type: 'RR', ssrc, reports };
    return writeRtcp([first, { type: 'SDES', ssrc, cname: this.cname }]);
  }

  /** A BYE in a compound that begins with an empty RR (RFC 3550 6.1). */
  bye(ssrc: number, reason: string): Uint8Array {
    return writeRtcp([
      { type: 'RR', ssrc, reports: [] },
      { type: 'SDES', ssrc, cname: this.cname },
      { type: 'BYE', ssrcs: [ssrc], reason },
    ]);
  }

  receive(compound: ReceivedRtcp, ownSsrc: number, ntpMs: number): void {
    this.received.push(compound);
    for (const packet of compound.packets) {
      if (packet.type === 'SR') {
        const middle = middleBits(packet.ntpSeconds, packet.ntpFraction);
        this.lastSr.set(packet.ssrc, { middle, arrivalUs: compound.arrivalUs });
      }
      if (packet.type !== 'SR' && packet.type !== 'RR') continue;
      for (const block of packet.reports) {
        if (block.ssrc !== ownSsrc || block.lastSr === 0) continue;
        const { seconds, fraction } = ntp(ntpMs);
        const trip = (middleBits(seconds, fraction) - block.lastSr - block.delaySinceLastSr) | 0;
        this.roundTripMs = (trip / 65536) * 1000;
      }
    }
  }

  private block(stream: ReceivedStream, nowUs: number): ReportBlock {
    const { ssrc, lost, packets, duplicates, extendedSequence, jitterTicks } = stream.statistics();
    const received = packets - duplicates;
    const last = this.lastCounts.get(ssrc) ?? { expected: 0, received: 0 };
    const expectedNow = received + lost - last.expected;
    const lostNow = Math.max(0, expectedNow - (received - last.received));
    this.lastCounts.set(ssrc, { expected: received + lost, received });
    const sr = this.lastSr.get(ssrc);
    return {
      ssrc,
      fractionLost: expectedNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      cumulativeLost: lost,
      extendedSequence,
      jitter: Math.floor(jitterTicks),
      lastSr: sr?.middle ?? 0,
      delaySinceLastSr: sr === undefined ? 0 : Math.round(((nowUs - sr.arrivalUs) / 1_000_000) * 65536),
    };
  }
}

function ntp(unixMs: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(unixMs / 1000);
  return { seconds: seconds + NTP_EPOCH_OFFSET, fraction: Math.floor((unixMs / 1000 - seconds) * 2 ** 32) };
}

/** The middle 32 bits of an NTP time, in 1/65536 s. */
function middleBits(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}
