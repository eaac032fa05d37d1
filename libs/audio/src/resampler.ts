import { AudioError } from './errors.ts';

/**
 * Changes of sample rate by a windowed-sinc polyphase filter.
 *
 * With rates from:to reduced to M:L, output k lies at k * M / L input samples. Its value is the sum of the `taps` input samples
 * around that instant, weighted by a Kaiser-windowed sinc; there are L different fractions of a sample, so L sets of weights.
 * As parts of the lower rate, the pass band ends at 0.425 (3.4 kHz of 8 kHz; -0.02 dB) and the stop band begins at 0.54 (4.3 kHz;
 * more than 70 dB down). What lies between folds to above the pass band only; a stop band from 0.5 on would cost twice the taps.
 */
export const SAMPLE_RATES_HZ: readonly number[] = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];

export function isSampleRate(hz: number): boolean {
  return SAMPLE_RATES_HZ.includes(hz);
}

/** Design edges: a Kaiser filter falls by 70 dB within them and by 0.02 dB just inside the lower one. */
const LOWER_EDGE = 0.42;
const UPPER_EDGE = 0.54;
const STOP_BAND_DB = 74;
/** Kaiser (1974): shape and length of the window for a stop band, A. V. Oppenheim, R. W. Schafer, 7.5.3. */
const KAISER_BETA = 0.1102 * (STOP_BAND_DB - 8.7);
const TAPS_AT_EQUAL_RATES = (STOP_BAND_DB - 7.95) / (2.285 * 2 * Math.PI * (UPPER_EDGE - LOWER_EDGE));

/** Weights of one pair of rates, shared by all resamplers. */
interface FilterBank {
  /** L: outputs for every M inputs. */
  readonly upFactor: number;
  /** M */
  readonly downFactor: number;
  /** Input samples that make an output; a multiple of 4. */
  readonly taps: number;
  /** Weight j of fraction p / L at `p * taps + j`, oldest input first. */
  readonly weights: Float32Array;
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function designFilterBank(fromHz: number, toHz: number): FilterBank {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const upFactor = toHz / divisor;
  const downFactor = fromHz / divisor;
  const lowerRate = Math.min(fromHz, toHz) / fromHz;
  const taps = Math.ceil(TAPS_AT_EQUAL_RATES / lowerRate / 4) * 4;
  const halfTaps = taps / 2;
  const cutoff = (LOWER_EDGE + UPPER_EDGE) * lowerRate;
  const weights = new Float32Array(upFactor * taps);
  for (let phase = 0; phase < upFactor; phase++) {
    let sum = 0;
    for (let j = 0; j < taps; j++) {
      const distance = phase / upFactor + halfTaps - 1 - j;
      const angle = Math.PI * cutoff * distance;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      const window = besselI0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - (distance / halfTaps) ** 2)));
      weights[phase * taps + j] = sinc * window;
      sum += sinc * window;
    }
    // Every fraction passes a constant unchanged, so that phases do not modulate the signal.
    for (let j = 0; j < taps; j++) weights[phase * taps + j] /= sum;
  }
  return { upFactor, downFactor, taps, weights };
}

/** At most one for each pair of `SAMPLE_RATES_HZ`. */
const filterBanks = new Map<string, FilterBank>();

function filterBank(fromHz: number, toHz: number): FilterBank {
  for (const hz of [fromHz, toHz]) {
    if (!isSampleRate(hz)) {
      throw new AudioError('unsupported-rate', `${hz} Hz; allowed: ${SAMPLE_RATES_HZ.join(', ')}`);
    }
  }
  const key = `${fromHz}:${toHz}`;
  let bank = filterBanks.get(key);
  if (bank === undefined) {
    bank = designFilterBank(fromHz, toHz);
    filterBanks.set(key, bank);
  }
  return bank;
}

/** Inputs that are filtered at a time; their window stays in the first-level cache. */
const BLOCK_SAMPLES = 1024;

/**
 * Resamples a mono signal that comes in pieces; the pieces' lengths do not change the result. `process` allocates nothing.
 *
 * `streaming` gives ceil(n * to / from) outputs for the first n inputs, late by `delayMs`. `aligned` keeps outputs back until
 * their instant's full surroundings are known, so that there is no delay; `flush` then gives the rest.
 */
export class Resampler {
  readonly delayMs: number;
  readonly #bank: FilterBank;
  readonly #history: Float32Array;
  readonly #firstFill: number;
  /** Samples in `#history`. */
  #fill = 0;
  /** Where the window of the next output starts in `#history`. */
  #start = 0;
  /** Fraction of the next output's instant, in 1 / upFactor. */
  #phase = 0;

  /** @throws AudioError `unsupported-rate` for a rate that is not in `SAMPLE_RATES_HZ` */
  constructor(fromHz: number, toHz: number, timing: 'streaming' | 'aligned') {
    this.#bank = filterBank(fromHz, toHz);
    const { taps } = this.#bank;
    this.#history = new Float32Array(taps + BLOCK_SAMPLES);
    this.#firstFill = timing === 'aligned' ? taps / 2 - 1 : taps - 1;
    this.delayMs = timing === 'aligned' || fromHz === toHz ? 0 : (taps / 2 / fromHz) * 1000;
    this.reset();
  }

  /** Forgets the signal: the next input is the first. */
  reset(): void {
    this.#history.fill(0);
    this.#fill = this.#firstFill;
    this.#start = 0;
    this.#phase = 0;
  }

  /** Outputs for a whole signal of `inputLength` samples. */
  outputLength(inputLength: number): number {
    return Math.ceil((inputLength * this.#bank.upFactor) / this.#bank.downFactor);
  }

  /** Takes `length` samples, writes what they complete to `out[outOffset]`, returns how many: at most `outputLength(length)`. */
  process(input: Int16Array, offset: number, length: number, out: Int16Array, outOffset: number): number {
    if (this.#bank.upFactor === this.#bank.downFactor) {
      for (let i = 0; i < length; i++) out[outOffset + i] = input[offset + i];
      return length;
    }
    const history = this.#history;
    const end = offset + length;
    let written = 0;
    for (let from = offset; from < end;) {
      const count = Math.min(history.length - this.#fill, end - from);
      for (let i = 0; i < count; i++) history[this.#fill + i] = input[from + i];
      this.#fill += count;
      from += count;
      written += this.#filter(out, outOffset + written);
    }
    return written;
  }

  /** `aligned`: writes the outputs that were kept back, as if silence followed; returns how many. The signal has then ended. */
  flush(out: Int16Array, outOffset: number): number {
    if (this.#bank.upFactor === this.#bank.downFactor) return 0;
    const silence = this.#bank.taps - 1 - this.#firstFill;
    let written = 0;
    for (let left = silence; left > 0;) {
      const count = Math.min(this.#history.length - this.#fill, left);
      this.#history.fill(0, this.#fill, this.#fill + count);
      this.#fill += count;
      left -= count;
      written += this.#filter(out, outOffset + written);
    }
    return written;
  }

  /** Computes every output whose window is filled, then moves what is still needed to the front. */
  #filter(out: Int16Array, outOffset: number): number {
    const { upFactor, downFactor, taps, weights } = this.#bank;
    const history = this.#history;
    const fill = this.#fill;
    const wholeStep = Math.floor(downFactor / upFactor);
    const fractionStep = downFactor % upFactor;
    let start = this.#start;
    let phase = this.#phase;
    let written = 0;
    while (start + taps <= fill) {
      const weightsStart = phase * taps;
      // Four sums, so that an addition does not wait for the one before.
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let j = 0; j < taps; j += 4) {
        const h = start + j;
        const w = weightsStart + j;
        sum0 += history[h] * weights[w];
        sum1 += history[h + 1] * weights[w + 1];
        sum2 += history[h + 2] * weights[w + 2];
        sum3 += history[h + 3] * weights[w + 3];
      }
      const sample = Math.floor(sum0 + sum1 + sum2 + sum3 + 0.5);
      out[outOffset + written++] = sample > 32767 ? 32767 : sample < -32768 ? -32768 : sample;
      start += wholeStep;
      phase += fractionStep;
      if (phase >= upFactor) {
        phase -= upFactor;
        start++;
      }
    }
    // When decimating, the next window may start beyond what has come.
    const keepFrom = Math.min(start, fill);
    history.copyWithin(0, keepFrom, fill);
    this.#fill = fill - keepFrom;
    this.#start = start - keepFrom;
    this.#phase = phase;
    return written;
  }
}

/** The whole of `samples` at another rate, without delay. Equal rates give a copy. @throws AudioError `unsupported-rate` */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  const resampler = new Resampler(fromHz, toHz, 'aligned');
  const out = new Int16Array(resampler.outputLength(samples.length));
  const written = resampler.process(samples, 0, samples.length, out, 0);
  resampler.flush(out, written);
  return out;
}
