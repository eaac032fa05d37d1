import type { G711Codec } from '@mediaplane/audio';
import { decodeG711 } from '@mediaplane/audio';
import type { RtpPacket } from './rtp-packet.ts';

export const SAMPLE_RATE_HZ = 8000;
const US_PER_SAMPLE = 1_000_000 / SAMPLE_RATE_HZ;

export interface ReceivedRtp extends RtpPacket {
  /** On the phone's monotonic clock, `phone.nowUs()`. */
  readonly arrivalUs: number;
  readonly from: { readonly address: string; readonly port: number };
  /** From the stamp in the payload, when the sender put one there: time since it was sent. */
  readonly latencyUs: number | null;
}

export interface StreamStatistics {
  readonly ssrc: number;
  /** Datagrams, duplicates included. */
  readonly packets: number;
  /** Sequence numbers between the first and the highest that never came. */
  readonly lost: number;
  readonly duplicates: number;
  /** Packets that came after one with a higher sequence number. */
  readonly reordered: number;
  /** RFC 3550 A.8. */
  readonly jitterMs: number;
  /** The same in timestamp units, as RTCP reports it. */
  readonly jitterTicks: number;
  /** Largest departure of the timestamp line from the wall clock since the first packet: a line that stands still shows here. */
  readonly maxTimestampSkewMs: number;
  readonly extendedSequence: number;
}

/** All packets of one SSRC in the order of arrival, and what they say about the way they came. */
export class ReceivedStream {
  readonly ssrc: number;
  readonly packets: ReceivedRtp[] = [];
  private readonly seen = new Set<number>();
  /** Of each packet, unwrapped, 0 for the first. */
  private readonly timestamps: number[] = [];
  private highest = 0;
  private lowest = 0;
  private reordered = 0;
  private jitter = 0;
  private lastTransit: number | null = null;
  private maxSkew = 0;

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }

  /** Jitter and skew are those of the audio: the packets of a digit all bear the timestamp of its beginning. */
  add(packet: ReceivedRtp, isAudio: boolean): void {
    const first = this.packets.at(0) ?? packet;
    const previous = this.packets.at(-1) ?? packet;
    const isFirst = this.packets.length === 0;
    const timestamp = isFirst
      ? 0
      : this.timestamps[this.packets.length - 1] + ((packet.timestamp - previous.timestamp) | 0);
    const sequenceStep = ((packet.sequenceNumber - this.highest) << 16) >> 16;
    const sequence = isFirst ? packet.sequenceNumber : this.highest + sequenceStep;
    if (!isFirst && sequence < this.highest && !this.seen.has(sequence)) this.reordered++;
    this.packets.push(packet);
    this.timestamps.push(timestamp);
    this.seen.add(sequence);
    this.highest = isFirst ? sequence : Math.max(this.highest, sequence);
    this.lowest = isFirst ? sequence : Math.min(this.lowest, sequence);
    if (!isAudio) return;
    // How far the packet is behind the wall clock when its timestamp is believed, in samples.
    const transit = (packet.arrivalUs - first.arrivalUs) / US_PER_SAMPLE - timestamp;
    this.maxSkew = Math.max(this.maxSkew, Math.abs(transit));
    if (this.lastTransit !== null) this.jitter += (Math.abs(transit - this.lastTransit) - this.jitter) / 16;
    this.lastTransit = transit;
  }

  statistics(): StreamStatistics {
    return {
      ssrc: this.ssrc,
      packets: this.packets.length,
      lost: this.packets.length === 0 ? 0 : this.highest - this.lowest + 1 - this.seen.size,
      duplicates: this.packets.length - this.seen.size,
      reordered: this.reordered,
      jitterTicks: this.jitter,
      jitterMs: (this.jitter * US_PER_SAMPLE) / 1000,
      maxTimestampSkewMs: (this.maxSkew * US_PER_SAMPLE) / 1000,
      extendedSequence: this.highest,
    };
  }

  /**
   * Writes the audio into `samples` of 8 kHz, whose first one lies at `startUs` on the phone's clock. Packets lie where their
   * timestamp says, counted from the arrival of the stream's first packet, so network jitter does not show; what never
   * came stays as it was. `codecOf` names the codec of a payload type; others (digits) are left out.
   */
  writeSamples(samples: Int16Array, startUs: number, codecOf: (payloadType: number) => G711Codec | null): void {
    this.packets.forEach(({ payload, payloadType }, index) => {
      const codec = codecOf(payloadType);
      if (codec === null) return;
      const at = Math.round((this.packets[0].arrivalUs - startUs) / US_PER_SAMPLE) + this.timestamps[index];
      const from = Math.max(0, -at);
      const count = Math.min(payload.length, samples.length - at) - from;
      if (count > 0) decodeG711(codec, payload, from, count, samples, at + from);
    });
  }
}
