import { AudioError } from './errors.ts';
import { PCMA_TO_LINEAR, PCMU_TO_LINEAR } from './g711.ts';
import { isSampleRate, SAMPLE_RATES_HZ } from './resampler.ts';
import type { RiffChunk, RiffForm } from './riff.ts';
import { readRiffForm, riffChunks, UNKNOWN_SIZE } from './riff.ts';

export type WavFormat = 'pcm8' | 'pcm16' | 'pcm24' | 'alaw' | 'mulaw';

/** Where the audio of a WAV lies and how to read it. */
export interface WavDescription {
  readonly format: WavFormat;
  /** One of `SAMPLE_RATES_HZ`. */
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
  readonly dataOffset: number;
  /** Bytes of audio that are there, in whole frames. */
  readonly dataLength: number;
  /** What the header says; differs from `dataLength` in files that were cut off or never finished. */
  readonly declaredDataLength: number;
  /** Samples of each channel. */
  readonly frames: number;
}

const BYTES_PER_SAMPLE: Record<WavFormat, number> = { pcm8: 1, pcm16: 2, pcm24: 3, alaw: 1, mulaw: 1 };

/** Format tags of RFC 2361. */
const TAG_PCM = 0x0001;
const TAG_ALAW = 0x0006;
const TAG_MULAW = 0x0007;
const TAG_EXTENSIBLE = 0xfffe;

const FMT_BYTES = 16;
/** WAVE_FORMAT_EXTENSIBLE: cbSize:u16 validBits:u16 channelMask:u32 subFormat:guid follow the 16 bytes of `fmt `. */
const FMT_EXTENSIBLE_BYTES = 40;
const SUB_FORMAT = 24;
/** KSDATAFORMAT_SUBTYPE_*: a format tag and these 14 bytes. */
const SUB_FORMAT_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

type FormatFields = Pick<WavDescription, 'format' | 'sampleRateHz' | 'channels'>;

function soundFormat(tag: number, bitsPerSample: number): WavFormat {
  if (tag === TAG_PCM && bitsPerSample === 8) return 'pcm8';
  if (tag === TAG_PCM && bitsPerSample === 16) return 'pcm16';
  if (tag === TAG_PCM && bitsPerSample === 24) return 'pcm24';
  if (tag === TAG_ALAW && bitsPerSample === 8) return 'alaw';
  if (tag === TAG_MULAW && bitsPerSample === 8) return 'mulaw';
  throw new AudioError(
    'unsupported-format',
    `format tag 0x${tag.toString(16).padStart(4, '0')} with ${bitsPerSample} bits; allowed: PCM of 8, 16 or 24 bits, A-law, mu-law`,
  );
}

function requireFormatBytes(view: DataView, chunk: RiffChunk, needed: number): void {
  if (chunk.declaredBytes < needed) {
    throw new AudioError('invalid-format', `a fmt chunk of ${chunk.declaredBytes} bytes; needed: ${needed}`);
  }
  if (chunk.offset + needed > view.byteLength) throw new AudioError('truncated', 'the file ends inside its fmt chunk');
}

function readFormat(view: DataView, chunk: RiffChunk): FormatFields {
  requireFormatBytes(view, chunk, FMT_BYTES);
  let tag = view.getUint16(chunk.offset, true);
  const channels = view.getUint16(chunk.offset + 2, true);
  const sampleRateHz = view.getUint32(chunk.offset + 4, true);
  const blockAlign = view.getUint16(chunk.offset + 12, true);
  const bitsPerSample = view.getUint16(chunk.offset + 14, true);

  if (tag === TAG_EXTENSIBLE) {
    requireFormatBytes(view, chunk, FMT_EXTENSIBLE_BYTES);
    const subFormat = chunk.offset + SUB_FORMAT;
    if (SUB_FORMAT_TAIL.some((byte, i) => view.getUint8(subFormat + 2 + i) !== byte)) {
      throw new AudioError('unsupported-format', 'a WAVE_FORMAT_EXTENSIBLE sub-format of a vendor');
    }
    tag = view.getUint16(subFormat, true);
  }
  const format = soundFormat(tag, bitsPerSample);
  if (channels !== 1 && channels !== 2) {
    throw new AudioError('unsupported-channels', `${channels} channels; allowed: 1 or 2`);
  }
  if (!isSampleRate(sampleRateHz)) {
    throw new AudioError('unsupported-rate', `${sampleRateHz} Hz; allowed: ${SAMPLE_RATES_HZ.join(', ')}`);
  }
  if (blockAlign !== channels * BYTES_PER_SAMPLE[format]) {
    throw new AudioError('invalid-format', `block of ${blockAlign} bytes for ${channels} channels of ${format}`);
  }
  return { format, sampleRateHz, channels };
}

/**
 * Writers that stream leave 0 or 0xffffffff in the size of `data`; it then runs to the end of the file. A 0 is such a size
 * only if the form header does not count anything behind the data header either; else the file is just empty.
 */
function dataBytes(form: RiffForm, chunk: RiffChunk, byteLength: number): { declared: number; present: number } {
  const there = byteLength - chunk.offset;
  const declared =
    chunk.declaredBytes === UNKNOWN_SIZE && form.ds64DataBytes !== null ? form.ds64DataBytes : chunk.declaredBytes;
  const unfinished = declared === 0 && (form.declaredBytes === UNKNOWN_SIZE || form.declaredBytes + 8 <= chunk.offset);
  return { declared, present: unfinished ? there : Math.min(declared, there) };
}

/** Finds format and audio in the bytes of a WAV file, whatever chunks stand around them. @throws AudioError */
export function parseWav(bytes: Uint8Array): WavDescription {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const form = readRiffForm(view);
  let format: FormatFields | null = null;
  let data: RiffChunk | null = null;
  for (const chunk of riffChunks(view)) {
    if (chunk.id === 'fmt ' && format === null) format = readFormat(view, chunk);
    else if (chunk.id === 'data' && data === null) data = chunk;
    if (format !== null && data !== null) break;
  }
  if (format === null) throw new AudioError('no-format', 'no fmt chunk');
  if (data === null) throw new AudioError('no-data', 'no data chunk');

  const { declared, present } = dataBytes(form, data, bytes.byteLength);
  const frameBytes = format.channels * BYTES_PER_SAMPLE[format.format];
  const frames = Math.floor(present / frameBytes);
  return {
    ...format,
    dataOffset: data.offset,
    dataLength: frames * frameBytes,
    declaredDataLength: declared,
    frames,
  };
}

/** Decodes `frames` frames from frame `firstFrame` into `out[0]`, channels interleaved as in the file. */
export function decodeWavFrames(
  bytes: Uint8Array,
  wav: WavDescription,
  firstFrame: number,
  frames: number,
  out: Int16Array,
): void {
  const samples = frames * wav.channels;
  const start = wav.dataOffset + firstFrame * wav.channels * BYTES_PER_SAMPLE[wav.format];
  switch (wav.format) {
    case 'pcm8':
      // Eight-bit WAV is unsigned around 128.
      for (let i = 0; i < samples; i++) out[i] = (bytes[start + i] - 128) << 8;
      break;
    case 'pcm16':
      for (let i = 0, at = start; i < samples; i++, at += 2) out[i] = bytes[at] | (bytes[at + 1] << 8);
      break;
    case 'pcm24':
      for (let i = 0, at = start; i < samples; i++, at += 3) out[i] = bytes[at + 1] | (bytes[at + 2] << 8);
      break;
    case 'alaw':
      for (let i = 0; i < samples; i++) out[i] = PCMA_TO_LINEAR[bytes[start + i]];
      break;
    case 'mulaw':
      for (let i = 0; i < samples; i++) out[i] = PCMU_TO_LINEAR[bytes[start + i]];
      break;
  }
}
