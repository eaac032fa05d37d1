import type { RtpPacket } from './rtp-packet.ts';

/** Event codes 0 to 15 of RFC 4733 3.2, in their order. */
export const DIGITS = '0123456789*#ABCD';

export interface HeardDigit {
  readonly digit: string;
  /** Of the packet that ended it. */
  readonly durationMs: number;
  /** Power in -dBm0, 0 (loud) to 63. */
  readonly volume: number;
  readonly packets: number;
  readonly endPackets: number;
  readonly hasMarker: boolean;
  readonly firstUs: number;
  readonly lastUs: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Understands telephone events (RFC 4733 2.3): one digit for each SSRC and timestamp, however many packets tell of it. A
 * digit counts as heard once an end bit came. Knows nothing of lost ends: whether those matter is for the test to say.
 */
export class DigitEar {
  private readonly events = new Map<string, Mutable<HeardDigit>>();

  hear(packet: RtpPacket, arrivalUs: number, clockRateHz: number): void {
    const { payload } = packet;
    if (payload.length < 4 || payload[0] >= DIGITS.length) return;
    const key = `${packet.ssrc} ${packet.timestamp} ${payload[0]}`;
    const event = this.events.get(key) ?? {
      digit: DIGITS[payload[0]],
      durationMs: 0,
      volume: payload[1] & 0x3f,
      packets: 0,
      endPackets: 0,
      hasMarker: false,
      firstUs: arrivalUs,
      lastUs: arrivalUs,
    };
    this.events.set(key, event);
    event.packets++;
    if (payload[1] & 0x80) event.endPackets++;
    event.hasMarker ||= packet.marker;
    event.durationMs = Math.max(event.durationMs, (((payload[2] << 8) | payload[3]) * 1000) / clockRateHz);
    event.lastUs = arrivalUs;
  }

  /** The digits that have ended, in the order in which they began. */
  get heard(): HeardDigit[] {
    return [...this.events.values()].filter((event) => event.endPackets > 0);
  }

  /** Those that began and of whose end no packet came. */
  get unfinished(): HeardDigit[] {
    return [...this.events.values()].filter((event) => event.endPackets === 0);
  }
}
