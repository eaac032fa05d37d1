import type { G711Codec } from '@mediaplane/audio';
import type { HeardDigit } from './digit-ear.ts';
import { DigitEar } from './digit-ear.ts';
import type { ReceivedRtp, StreamStatistics } from './received-stream.ts';
import { ReceivedStream, SAMPLE_RATE_HZ } from './received-stream.ts';

export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Everything that a phone received over RTP, in the order of arrival, and by source. */
export class RtpTimeline {
  readonly packets: ReceivedRtp[] = [];
  readonly streams = new Map<number, ReceivedStream>();
  /** Datagrams on the RTP port that are no RTP. */
  malformed = 0;
  private latest: ReceivedStream | null = null;
  private readonly ear = new DigitEar();
  private readonly codecs: ReadonlyMap<number, G711Codec>;
  private readonly dtmfPayloadType: number;

  /** `codecs`: what the payload types of audio mean. */
  constructor(codecs: ReadonlyMap<number, G711Codec>, dtmfPayloadType: number) {
    this.codecs = codecs;
    this.dtmfPayloadType = dtmfPayloadType;
  }

  add(packet: ReceivedRtp): void {
    const stream = this.streams.get(packet.ssrc) ?? new ReceivedStream(packet.ssrc);
    this.streams.set(packet.ssrc, stream);
    this.latest = stream;
    this.packets.push(packet);
    stream.add(packet, this.codecs.has(packet.payloadType));
    if (packet.payloadType === this.dtmfPayloadType) this.ear.hear(packet, packet.arrivalUs, SAMPLE_RATE_HZ);
  }

  /** The source that was heard last, null before the first packet. */
  get current(): ReceivedStream | null {
    return this.latest;
  }

  /** One for each source, in the order in which they were first heard. */
  get statistics(): StreamStatistics[] {
    return [...this.streams.values()].map((stream) => stream.statistics());
  }

  /** The digits that have ended, in the order in which they began. */
  get digits(): HeardDigit[] {
    return this.ear.heard;
  }

  /** Digits of which no end packet came (yet). */
  get unfinishedDigits(): HeardDigit[] {
    return this.ear.unfinished;
  }

  /** What was heard between two times as samples of 8 kHz, all sources on one time line; silence is 0. */
  samples(fromUs: number, toUs: number): Int16Array {
    const samples = new Int16Array(Math.max(0, Math.round(((toUs - fromUs) / 1_000_000) * SAMPLE_RATE_HZ)));
    for (const stream of this.streams.values()) {
      stream.writeSamples(samples, fromUs, (payloadType) => this.codecs.get(payloadType) ?? null);
    }
    return samples;
  }

  /** Of the packets whose payload bears a stamp, in milliseconds; zeros when there are none. */
  get latencyMs(): LatencySummary {
    const sorted = this.packets.flatMap(({ latencyUs }) => (latencyUs === null ? [] : [latencyUs / 1000]));
    sorted.sort((a, b) => a - b);
    const at = (quantile: number): number => sorted[Math.ceil(quantile * sorted.length) - 1] ?? 0;
    return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }
}
