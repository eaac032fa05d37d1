import type { WavDescription } from '@mediaplane/audio';
import { decodeWavFrames, parseWav } from '@mediaplane/audio';
import { fft } from './spectrum.ts';

/** A recording as a test looks at it. */
export interface CheckedWav {
  readonly wav: WavDescription;
  readonly durationMs: number;
  /** Decoded samples of each channel at the file's own rate. */
  readonly channels: readonly Int16Array[];
  /** Bytes at the end that the header does not count: 0 once a recording has ended, up to a second's worth while it grows. */
  readonly unclaimedBytes: number;
}

/** Parses a WAV and holds its header against its length. @throws AudioError; Error if the header claims more than is there */
export function checkWav(bytes: Uint8Array): CheckedWav {
  const wav = parseWav(bytes);
  const claimedBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) + 8;
  if (claimedBytes > bytes.length) {
    throw new Error(`the RIFF header claims ${claimedBytes} bytes, the file has ${bytes.length}`);
  }
  if (wav.declaredDataLength !== wav.dataLength) {
    throw new Error(`the data chunk claims ${wav.declaredDataLength} bytes, there are ${wav.dataLength}`);
  }
  const interleaved = new Int16Array(wav.frames * wav.channels);
  decodeWavFrames(bytes, wav, 0, wav.frames, interleaved);
  const channels = Array.from({ length: wav.channels }, (_, channel) =>
    interleaved.filter((_, i) => i % wav.channels === channel),
  );
  const durationMs = (wav.frames * 1000) / wav.sampleRateHz;
  return { wav, durationMs, channels, unclaimedBytes: bytes.length - claimedBytes };
}

export interface SilenceGap {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Runs of at least `minimumMs` in which no sample is above `thresholdDbfs` (-50: a magnitude of 103). */
export function silenceGaps(
  samples: Int16Array,
  sampleRateHz: number,
  minimumMs: number,
  thresholdDbfs = -50,
): SilenceGap[] {
  const threshold = 32768 * 10 ** (thresholdDbfs / 20);
  const toMs = 1000 / sampleRateHz;
  const gaps: SilenceGap[] = [];
  let start = 0;
  for (let i = 0; i <= samples.length; i++) {
    if (i < samples.length && Math.abs(samples[i]) <= threshold) continue;
    const durationMs = (i - start) * toMs;
    if (i > start && durationMs >= minimumMs) gaps.push({ startMs: start * toMs, durationMs });
    start = i + 1;
  }
  return gaps;
}

export interface Correlation {
  /** `heard[i + offset]` is what `said[i]` became; negative if the start of `said` is missing. */
  readonly offset: number;
  /** 0 to 1: 1 for the same wave form at any level, above 0.99 after G.711, near 0 for another signal. */
  readonly coefficient: number;
}

/**
 * Where and how well `said` is found in `heard`, both at one rate: the highest normalised cross-correlation over all offsets
 * at which at least half of the shorter signal overlaps. Only the overlapping parts count. A hole costs little (half of the
 * energy it takes away): look for it with `silenceGaps`; a shift within the signal costs all that lies behind it.
 */
export function correlate(said: Int16Array, heard: Int16Array): Correlation {
  let size = 1;
  while (size < said.length + heard.length) size *= 2;
  const products = crossCorrelation(said, heard, size);
  const saidEnergy = cumulativeEnergy(said);
  const heardEnergy = cumulativeEnergy(heard);
  const minOverlap = Math.max(Math.ceil(Math.min(said.length, heard.length) / 2), 1);
  let best: Correlation = { offset: 0, coefficient: 0 };
  for (let offset = minOverlap - said.length; offset <= heard.length - minOverlap; offset++) {
    const from = Math.max(0, -offset);
    const to = Math.min(said.length, heard.length - offset);
    const energy = (saidEnergy[to] - saidEnergy[from]) * (heardEnergy[to + offset] - heardEnergy[from + offset]);
    if (energy === 0) continue;
    const coefficient = products[offset < 0 ? offset + size : offset] / Math.sqrt(energy);
    if (coefficient > best.coefficient) best = { offset, coefficient };
  }
  return best;
}

/** Sum of said[i] * heard[i + offset] for every offset, negative ones from the end: through the frequency domain. */
function crossCorrelation(said: Int16Array, heard: Int16Array, size: number): Float64Array {
  // Two real signals as one complex one: its transform's even part belongs to `said`, its odd part to `heard`.
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  real.set(said);
  imaginary.set(heard);
  fft(real, imaginary);
  const productReal = new Float64Array(size);
  const productImaginary = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const mirror = (size - k) % size;
    const saidReal = (real[k] + real[mirror]) / 2;
    const saidImaginary = (imaginary[k] - imaginary[mirror]) / 2;
    const heardReal = (imaginary[k] + imaginary[mirror]) / 2;
    const heardImaginary = (real[mirror] - real[k]) / 2;
    productReal[k] = (saidReal * heardReal + saidImaginary * heardImaginary) / size;
    productImaginary[k] = (saidReal * heardImaginary - saidImaginary * heardReal) / size;
  }
  fft(productReal, productImaginary, 'inverse');
  return productReal;
}

/** Energy of the first i samples at index i. */
function cumulativeEnergy(samples: Int16Array): Float64Array {
  const energy = new Float64Array(samples.length + 1);
  for (let i = 0; i < samples.length; i++) energy[i + 1] = energy[i] + samples[i] ** 2;
  return energy;
}
