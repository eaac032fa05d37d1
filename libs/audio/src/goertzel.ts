import { meanSquareToDbfs } from './levels.ts';

/**
 * Mean square of the sine at `hz` in a block of samples (G. Goertzel, 1958): amplitude squared over two, in sample values, so
 * that it compares with the mean square of the whole block. The block should hold several periods and, to tell two
 * tones apart, at least the inverse of their distance: 20 ms for 50 Hz.
 */
export function tonePower(
  samples: Int16Array,
  offset: number,
  length: number,
  hz: number,
  sampleRateHz: number,
): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sampleRateHz);
  let last = 0;
  let beforeLast = 0;
  const end = offset + length;
  for (let i = offset; i < end; i++) {
    const next = samples[i] + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
  }
  const magnitudeSquared = last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  return (2 * magnitudeSquared) / (length * length);
}

/** The same as an rms level (see `levels.ts`); a tone at 0 dBm0 has `DBM0_IN_DBFS`. */
export function toneLevelDbfs(
  samples: Int16Array,
  offset: number,
  length: number,
  hz: number,
  sampleRateHz: number,
): number {
  return meanSquareToDbfs(tonePower(samples, offset, length, hz, sampleRateHz));
}
