import { peakDbfs, tonePower, toneLevelDbfs } from '@mediaplane/audio';

/** What frequencies a signal has, so that a test can find the tone that it sent in what it got. */
export interface PowerSpectrum {
  /** Distance of two bins. */
  readonly binHz: number;
  /** Power of bins 0 to half the rate, in an arbitrary unit. */
  readonly power: Float64Array;
}

/** Longest block of the transform: bins of 1 Hz at 8 kHz. */
const MAX_BLOCK = 8192;
/** Below this lies no audio of a telephone, but the offset of a converter may. */
const LOWEST_HZ = 20;

/** Discrete Fourier transform in place, radix 2 (Cooley, Tukey, 1965). The inverse is not divided by the length. */
export function fft(real: Float64Array, imaginary: Float64Array, direction: 'forward' | 'inverse' = 'forward'): void {
  const length = real.length;
  if (length !== imaginary.length || (length & (length - 1)) !== 0) throw new RangeError('length: a power of two');
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const re = real[i];
      const im = imaginary[i];
      real[i] = real[j];
      imaginary[i] = imaginary[j];
      real[j] = re;
      imaginary[j] = im;
    }
  }
  const sign = direction === 'forward' ? -1 : 1;
  const cosines = Float64Array.from({ length: length / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / length));
  const sines = Float64Array.from({ length: length / 2 }, (_, k) => sign * Math.sin((2 * Math.PI * k) / length));
  for (let half = 1; half < length; half *= 2) {
    const stride = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const top = start + k;
        const bottom = top + half;
        const cosine = cosines[k * stride];
        const sine = sines[k * stride];
        const re = real[bottom] * cosine - imaginary[bottom] * sine;
        const im = real[bottom] * sine + imaginary[bottom] * cosine;
        real[bottom] = real[top] - re;
        imaginary[bottom] = imaginary[top] - im;
        real[top] += re;
        imaginary[top] += im;
      }
    }
  }
}

/** Mean over half-overlapping Hann-windowed blocks (P. Welch, 1967). A short signal is one block, filled up with silence. */
export function powerSpectrum(samples: Int16Array, sampleRateHz: number): PowerSpectrum {
  let block = MAX_BLOCK;
  while (block / 2 >= Math.max(samples.length, 256)) block /= 2;
  const power = new Float64Array(block / 2 + 1);
  const real = new Float64Array(block);
  const imaginary = new Float64Array(block);
  const windowed = Math.min(block, samples.length);
  for (let start = 0; start === 0 || start + block <= samples.length; start += block / 2) {
    real.fill(0);
    imaginary.fill(0);
    for (let i = 0; i < windowed; i++) {
      real[i] = samples[start + i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / windowed));
    }
    fft(real, imaginary);
    for (let bin = 0; bin < power.length; bin++) power[bin] += real[bin] ** 2 + imaginary[bin] ** 2;
  }
  return { binHz: sampleRateHz / block, power };
}

/** The frequency with the most power, to a small part of a bin; NaN for silence. */
export function dominantFrequencyHz(samples: Int16Array, sampleRateHz: number): number {
  const { binHz, power } = powerSpectrum(samples, sampleRateHz);
  let best = Math.ceil(LOWEST_HZ / binHz);
  for (let bin = best; bin < power.length; bin++) if (power[bin] > power[best]) best = bin;
  if (power[best] === 0) return Number.NaN;
  if (best === power.length - 1) return best * binHz;
  // The tip of the parabola through the logarithms of the three highest bins.
  const [left, middle, right] = [power[best - 1], power[best], power[best + 1]].map((p) => Math.log(p + 1e-9));
  const curvature = left - 2 * middle + right;
  return (best + (curvature === 0 ? 0 : (left - right) / (2 * curvature))) * binHz;
}

/** Share of the energy above 20 Hz that lies within `widthHz` around `hz`: 0 to 1, and 0 for silence. */
export function bandEnergyRatio(samples: Int16Array, sampleRateHz: number, hz: number, widthHz: number): number {
  const { binHz, power } = powerSpectrum(samples, sampleRateHz);
  let inside = 0;
  let all = 0;
  for (let bin = Math.ceil(LOWEST_HZ / binHz); bin < power.length; bin++) {
    all += power[bin];
    if (Math.abs(bin * binHz - hz) <= widthHz / 2) inside += power[bin];
  }
  return all === 0 ? 0 : inside / all;
}

export interface FoundTone {
  readonly startMs: number;
  readonly durationMs: number;
  /** Rms of the tone alone, over its whole duration; libs/audio/src/levels.ts defines the scale. */
  readonly levelDbfs: number;
}

const FRAME_MS = 20;
/** Either of two equal tones, as in a DTMF digit, has half of the energy. */
const MIN_SHARE = 0.4;
const MIN_PEAK_DBFS = -50;

/** The longest time, in steps of 20 ms, through which a sine at `hz` (within about 25 Hz) makes up much of the signal. */
export function findTone(samples: Int16Array, sampleRateHz: number, hz: number): FoundTone | null {
  const frame = Math.round((sampleRateHz * FRAME_MS) / 1000);
  let bestStart = 0;
  let bestLength = 0;
  let length = 0;
  for (let start = 0; start + frame <= samples.length; start += frame) {
    length = isTone(samples, start, frame, hz, sampleRateHz) ? length + frame : 0;
    if (length > bestLength) {
      bestLength = length;
      bestStart = start + frame - length;
    }
  }
  if (bestLength === 0) return null;
  return {
    startMs: (bestStart * 1000) / sampleRateHz,
    durationMs: (bestLength * 1000) / sampleRateHz,
    levelDbfs: toneLevelDbfs(samples, bestStart, bestLength, hz, sampleRateHz),
  };
}

function isTone(samples: Int16Array, start: number, length: number, hz: number, sampleRateHz: number): boolean {
  if (peakDbfs(samples, start, length) < MIN_PEAK_DBFS) return false;
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += samples[i] ** 2;
  return tonePower(samples, start, length, hz, sampleRateHz) >= (MIN_SHARE * sum) / length;
}
