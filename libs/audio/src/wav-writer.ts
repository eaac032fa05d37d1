import { AudioError } from './errors.ts';

/**
 * PCM16 WAV written as it grows, without I/O: the owner of the file appends audio at `endOffset`, reports it with `commit`
 * and then overwrites the first 44 bytes with `header()`. A header is therefore never ahead of the audio in the file: whoever
 * reads it at any moment, or after a crash, finds a whole WAV of what was last committed.
 *
 *     'RIFF' size 'WAVE' 'fmt ' 16 tag=1 channels rate byteRate blockAlign bits=16 'data' size
 */
export const WAV_HEADER_BYTES = 44;

const BYTES_PER_SAMPLE = 2;
/** The RIFF size is 32 bits wide and counts everything behind its own 8 bytes. */
const MAX_RIFF_SIZE = 0xffffffff;
const RIFF_SIZE_BEFORE_DATA = WAV_HEADER_BYTES - 8;
const TAG_PCM = 1;

/** Most audio that a WAV of so many channels holds, in whole frames: 4 GiB less the header, 74 h of 8 kHz mono. */
export function maxWavDataBytes(channels: 1 | 2): number {
  const frameBytes = channels * BYTES_PER_SAMPLE;
  return Math.floor((MAX_RIFF_SIZE - RIFF_SIZE_BEFORE_DATA) / frameBytes) * frameBytes;
}

/** The 44 bytes before `dataBytes` of PCM16. @throws AudioError `too-long` above `maxWavDataBytes(channels)` */
export function wavHeader(dataBytes: number, sampleRateHz: number, channels: 1 | 2): Uint8Array {
  const max = maxWavDataBytes(channels);
  if (dataBytes > max) throw new AudioError('too-long', `${dataBytes} bytes of audio; a WAV holds ${max}`);
  const frameBytes = channels * BYTES_PER_SAMPLE;
  const header = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(header.buffer);
  putFourCc(header, 0, 'RIFF');
  view.setUint32(4, RIFF_SIZE_BEFORE_DATA + dataBytes, true);
  putFourCc(header, 8, 'WAVE');
  putFourCc(header, 12, 'fmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, TAG_PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, BYTES_PER_SAMPLE * 8, true);
  putFourCc(header, 36, 'data');
  view.setUint32(40, dataBytes, true);
  return header;
}

function putFourCc(bytes: Uint8Array, offset: number, id: string): void {
  for (let i = 0; i < 4; i++) bytes[offset + i] = id.charCodeAt(i);
}

/** Where a growing WAV stands. */
export class WavGrowth {
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
  /** Bound of the audio, in whole frames. */
  readonly maxDataBytes: number;
  #dataBytes = 0;

  /** @param maxDataBytes a lower bound than that of the format, such as a maximum duration; cut to whole frames */
  constructor(sampleRateHz: number, channels: 1 | 2, maxDataBytes = Number.POSITIVE_INFINITY) {
    const frameBytes = channels * BYTES_PER_SAMPLE;
    this.sampleRateHz = sampleRateHz;
    this.channels = channels;
    this.maxDataBytes = Math.min(Math.floor(maxDataBytes / frameBytes) * frameBytes, maxWavDataBytes(channels));
  }

  /** Audio that is in the file. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  get durationMs(): number {
    return (this.#dataBytes * 1000) / (this.sampleRateHz * this.channels * BYTES_PER_SAMPLE);
  }

  /** Where in the file the next audio goes. */
  get endOffset(): number {
    return WAV_HEADER_BYTES + this.#dataBytes;
  }

  /** No frame more fits: the recording ends here; audio beyond it belongs into another file. */
  get full(): boolean {
    return this.#dataBytes === this.maxDataBytes;
  }

  /** How many of `byteLength` bytes may be appended at `endOffset`: all, or what is left up to the bound. */
  room(byteLength: number): number {
    return Math.min(byteLength, this.maxDataBytes - this.#dataBytes);
  }

  /** To call when `byteLength` bytes, whole frames, at most `room(byteLength)`, lie in the file. @throws AudioError `too-long` */
  commit(byteLength: number): void {
    if (byteLength > this.maxDataBytes - this.#dataBytes) {
      throw new AudioError('too-long', `${this.#dataBytes} + ${byteLength} bytes; the bound is ${this.maxDataBytes}`);
    }
    this.#dataBytes += byteLength;
  }

  /** The header that is true for what was committed; goes to the start of the file in one write. */
  header(): Uint8Array {
    return wavHeader(this.#dataBytes, this.sampleRateHz, this.channels);
  }
}
