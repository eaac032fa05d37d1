/**
 * Levels of 16-bit audio.
 *
 * 0 dBFS is the largest sample value, 32768, for peak and rms alike (dBov of ITU-T G.100.1 and RFC 6464): a square wave of
 * full scale has an rms of 0 dBFS, a sine of full scale -3.01. 0 dBm0, the telephone network's reference, is a sine that
 * peaks 3.14 dB below full scale (ITU-T G.711, A-law; mu-law is within 0.06 dB of it): -6.15 dBFS rms.
 */
export const FULL_SCALE = 32768;
/** Rms level of a sine at 0 dBm0. */
export const DBM0_IN_DBFS = -3.14 - 10 * Math.log10(2);

/** Level of a mean square of sample values; -Infinity for 0. */
export function meanSquareToDbfs(meanSquare: number): number {
  return 10 * Math.log10(meanSquare / FULL_SCALE ** 2);
}

/** -Infinity for silence and for an empty block. */
export function rmsDbfs(samples: Int16Array, offset = 0, length = samples.length - offset): number {
  if (length === 0) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  const end = offset + length;
  for (let i = offset; i < end; i++) sum += samples[i] * samples[i];
  return meanSquareToDbfs(sum / length);
}

/** Largest magnitude of a sample, 0 to 32768; 0 for an empty block. */
export function peak(samples: Int16Array, offset = 0, length = samples.length - offset): number {
  let largest = 0;
  const end = offset + length;
  for (let i = offset; i < end; i++) {
    const magnitude = samples[i] < 0 ? -samples[i] : samples[i];
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/** -Infinity for silence and for an empty block. */
export function peakDbfs(samples: Int16Array, offset = 0, length = samples.length - offset): number {
  return 20 * Math.log10(peak(samples, offset, length) / FULL_SCALE);
}

/** Heights 0 to 8; one step is 6 dB, the lowest mark stands for a peak above -48 dBFS. */
const MARKS = ' ▁▂▃▄▅▆▇█';

/** The envelope as one line of `columns` characters, each showing the peak of its share of the samples. */
export function plotWaveform(samples: Int16Array, columns: number): string {
  let line = '';
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * samples.length) / columns);
    const to = Math.floor(((column + 1) * samples.length) / columns);
    // The position of the highest bit is a logarithm: 128 gives 1, 16384 gives 8.
    const height = Math.max(25 - Math.clz32(peak(samples, from, to - from)), 0);
    line += MARKS[Math.min(height, 8)];
  }
  return line;
}
