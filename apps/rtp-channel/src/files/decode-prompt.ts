import { setImmediate as nextTurn } from 'node:timers/promises';
import { AudioError, decodeWavFrames, parseWav, Resampler } from '@mediaplane/audio';
import { SAMPLE_RATE_HZ } from '../media/contract.ts';
import { FileError } from './errors.ts';

/** Audio in memory shared by all threads: 8 kHz mono PCM16. */
export interface Prompt {
  readonly samples: SharedArrayBuffer;
  readonly sampleCount: number;
}

const BYTES_PER_SAMPLE = 2;
/** A tenth of a second of 48 kHz audio; about 1 ms of work when it is resampled. */
const BLOCK_FRAMES = 4096;
/** The event loop is given a turn after so much work. */
const SLICE_MS = 4;

/** Decodes a WAV file in slices, so that minutes of audio do not hold up calls. @throws FileError `not-audio` */
export async function decodePrompt(bytes: Uint8Array, name: string): Promise<Prompt> {
  try {
    return await decode(bytes);
  } catch (error) {
    if (error instanceof AudioError) throw new FileError('not-audio', `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function decode(bytes: Uint8Array): Promise<Prompt> {
  const wav = parseWav(bytes);
  const resampler = new Resampler(wav.sampleRateHz, SAMPLE_RATE_HZ, 'aligned');
  const sampleCount = resampler.outputLength(wav.frames);
  const samples = new SharedArrayBuffer(sampleCount * BYTES_PER_SAMPLE);
  const out = new Int16Array(samples);
  const block = new Int16Array(Math.min(BLOCK_FRAMES, wav.frames) * wav.channels);
  let written = 0;
  let sliceStartMs = performance.now();
  for (let frame = 0; frame < wav.frames; frame += BLOCK_FRAMES) {
    const frames = Math.min(BLOCK_FRAMES, wav.frames - frame);
    decodeWavFrames(bytes, wav, frame, frames, block);
    if (wav.channels === 2) for (let i = 0; i < frames; i++) block[i] = (block[2 * i] + block[2 * i + 1]) >> 1;
    written += resampler.process(block, 0, frames, out, written);
    if (performance.now() - sliceStartMs > SLICE_MS) {
      await nextTurn();
      sliceStartMs = performance.now();
    }
  }
  resampler.flush(out, written);
  return { samples, sampleCount };
}
