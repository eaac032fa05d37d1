import type { G711Codec } from '@mediaplane/audio';
import { encodeG711, g711Silence } from '@mediaplane/audio';
import { DIGITS } from './digit-ear.ts';
import { SAMPLE_RATE_HZ } from './received-stream.ts';
import type { RtpPacket } from './rtp-packet.ts';

export interface RtpVoiceOptions {
  readonly codec: G711Codec;
  readonly payloadType: number;
  readonly dtmfPayloadType: number;
  readonly ptimeMs: number;
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
}

export interface DigitOptions {
  /** 40 to 8000, default 100; rounded up to whole packets. */
  readonly digitMs?: number;
  /** Silence or speech between digits, default 60. */
  readonly gapMs?: number;
  /** -dBm0, 0 to 63, default 10. */
  readonly volume?: number;
}

interface Playing {
  readonly samples: Int16Array;
  readonly loop: boolean;
  position: number;
  readonly done: () => void;
}

interface SendingDigit {
  readonly event: number;
  readonly volume: number;
  readonly ticks: number;
  gapTicks: number;
  timestamp: number;
  elapsed: number;
  readonly done: () => void;
}

/** RFC 4733 2.5.1.4: the last packet of an event is sent three times. */
const END_PACKETS = 3;

/** What a phone says, packet by packet: audio from samples, silence, digits. One `tick` is one packet time; knows no clock. */
export class RtpVoice {
  ssrc: number;
  sequenceNumber: number;
  /** Of the next tick; runs on while nothing is sent. */
  timestamp: number;
  /** Sends nothing, as a phone does that suppresses silence: time runs on, and the first packet afterwards bears the marker. */
  isMuted = false;
  packets = 0;
  octets = 0;
  private readonly options: RtpVoiceOptions;
  private readonly frameSamples: number;
  private readonly playing: Playing[] = [];
  private readonly digits: SendingDigit[] = [];
  private isTalkspurtStart = true;

  constructor(options: RtpVoiceOptions) {
    this.options = options;
    this.ssrc = options.ssrc;
    this.sequenceNumber = options.sequenceNumber;
    this.timestamp = options.timestamp;
    this.frameSamples = (options.ptimeMs * SAMPLE_RATE_HZ) / 1000;
  }

  /** Says samples of 8 kHz after what was asked for before. Resolves when they are sent or `silence` cut them off. */
  play(samples: Int16Array, loop = false): Promise<void> {
    return new Promise((done) => this.playing.push({ samples, loop, position: 0, done }));
  }

  /** Drops everything that is left to play. */
  silence(): void {
    for (const { done } of this.playing.splice(0)) done();
  }

  /** Sends digits instead of audio, one after the other. Resolves when the gap after the last is over. @throws RangeError */
  async sendDigits(digits: string, options: DigitOptions = {}): Promise<void> {
    const { digitMs = 100, gapMs = 60, volume = 10 } = options;
    if (!(digitMs >= 40 && digitMs <= 8000)) throw new RangeError(`digitMs ${digitMs} is not in 40 to 8000`);
    const events = [...digits].map((digit) => DIGITS.indexOf(digit));
    if (events.includes(-1)) throw new RangeError(`"${digits}" holds characters other than ${DIGITS}`);
    const ticks = Math.ceil(digitMs / this.options.ptimeMs);
    const gapTicks = Math.ceil(gapMs / this.options.ptimeMs);
    const sent = events.map(
      (event) =>
        new Promise<void>((done) =>
          this.digits.push({ event, volume, ticks, gapTicks, timestamp: 0, elapsed: 0, done }),
        ),
    );
    await Promise.all(sent);
  }

  /** Lets go of those who wait: there will be no more ticks. */
  end(): void {
    this.silence();
    for (const { done } of this.digits.splice(0)) done();
  }

  /** The packets of the next packet time: one as a rule, none when muted, three where a digit ends. */
  tick(): RtpPacket[] {
    // A digit covers the speech that goes on below it: what would have been said meanwhile is gone.
    const frame = this.nextFrame();
    const packets = this.digitPackets() ?? this.audioPackets(frame);
    this.timestamp = (this.timestamp + this.frameSamples) >>> 0;
    return packets;
  }

  /** A packet with the next sequence number. */
  packet(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): RtpPacket {
    const { ssrc, sequenceNumber } = this;
    this.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.packets++;
    this.octets += payload.length;
    return { payloadType, marker, sequenceNumber, timestamp: timestamp >>> 0, ssrc, payload };
  }

  private audioPackets(frame: Uint8Array): RtpPacket[] {
    if (this.isMuted) {
      this.isTalkspurtStart = true;
      return [];
    }
    const marker = this.isTalkspurtStart;
    this.isTalkspurtStart = false;
    return [this.packet(this.options.payloadType, marker, this.timestamp, frame)];
  }

  /** Null when no digit is being sent, or in the gap behind one. */
  private digitPackets(): RtpPacket[] | null {
    const digit = this.digits.at(0);
    if (digit === undefined) return null;
    if (digit.elapsed >= digit.ticks) {
      if (digit.gapTicks-- > 0) return null;
      this.digits.shift();
      digit.done();
      return this.digitPackets();
    }
    if (digit.elapsed === 0) digit.timestamp = this.timestamp;
    digit.elapsed++;
    const isEnd = digit.elapsed === digit.ticks;
    const duration = digit.elapsed * this.frameSamples;
    const payload = Uint8Array.of(digit.event, (isEnd ? 0x80 : 0) | digit.volume, duration >> 8, duration & 0xff);
    const marker = digit.elapsed === 1;
    return Array.from({ length: isEnd ? END_PACKETS : 1 }, () =>
      this.packet(this.options.dtmfPayloadType, marker, digit.timestamp, payload),
    );
  }

  private nextFrame(): Uint8Array {
    const { codec } = this.options;
    const frame = new Uint8Array(this.frameSamples).fill(g711Silence(codec));
    for (let filled = 0; filled < frame.length;) {
      const playing = this.playing.at(0);
      if (playing === undefined) break;
      const count = Math.min(frame.length - filled, playing.samples.length - playing.position);
      encodeG711(codec, playing.samples, playing.position, count, frame, filled);
      filled += count;
      playing.position += count;
      if (playing.position < playing.samples.length) continue;
      if (playing.loop && playing.samples.length > 0) {
        playing.position = 0;
      } else {
        this.playing.shift();
        playing.done();
      }
    }
    return frame;
  }
}
