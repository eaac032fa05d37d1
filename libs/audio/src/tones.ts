import { AudioError } from './errors.ts';
import { FULL_SCALE } from './levels.ts';

/** A sine of a tone plan. Level in dBm0 as `levels.ts` defines it: 0 is a peak 3.14 dB below full scale. */
export interface Tone {
  readonly hz: number;
  readonly levelDbm0: number;
}

/** ITU-T Q.23: a digit is one of four low and one of four high frequencies. */
const DTMF_LOW_HZ = [697, 770, 852, 941];
const DTMF_HIGH_HZ = [1209, 1336, 1477, 1633];
const DTMF_KEYPAD = '123A456B789C*0#D';

/** Low and high tone of a digit 0-9, A-D, * or #, each at `levelDbm0`; null for any other character. */
export function dtmfTones(digit: string, levelDbm0: number): [Tone, Tone] | null {
  const key = digit.length === 1 ? DTMF_KEYPAD.indexOf(digit.toUpperCase()) : -1;
  if (key < 0) return null;
  return [
    { hz: DTMF_LOW_HZ[key >> 2], levelDbm0 },
    { hz: DTMF_HIGH_HZ[key & 3], levelDbm0 },
  ];
}

/** The North American precise tone plan (Telcordia GR-506-CORE), without its cadences. */
export const CALL_PROGRESS_TONES: Record<'dial' | 'ringback' | 'busy', readonly Tone[]> = {
  dial: [
    { hz: 350, levelDbm0: -13 },
    { hz: 440, levelDbm0: -13 },
  ],
  ringback: [
    { hz: 440, levelDbm0: -19 },
    { hz: 480, levelDbm0: -19 },
  ],
  busy: [
    { hz: 480, levelDbm0: -24 },
    { hz: 620, levelDbm0: -24 },
  ],
};

/** Sample value at the crest of a sine. */
export function sinePeak(levelDbm0: number): number {
  return FULL_SCALE * 10 ** ((levelDbm0 - 3.14) / 20);
}

const BLOCK_SAMPLES = 256;

/**
 * The sum of some sines from phase 0 on, as long as wanted, in pieces of any length whose joints cannot be heard.
 *
 * Each sine is a phasor that turns by a fixed angle a sample: one complex product instead of a call of `Math.sin`.
 */
export class ToneGenerator {
  readonly #count: number;
  readonly #amplitude: Float64Array;
  /** Phasors and their turns. Typed arrays, because each fraction written to a private field allocates a number. */
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  readonly #stepCosine: Float64Array;
  readonly #stepSine: Float64Array;
  readonly #sum = new Float64Array(BLOCK_SAMPLES);

  /** @throws AudioError `unsupported-frequency` outside 1 Hz to half of `sampleRateHz` */
  constructor(tones: readonly Tone[], sampleRateHz: number) {
    for (const { hz } of tones) {
      if (!(hz >= 1 && hz < sampleRateHz / 2)) {
        throw new AudioError('unsupported-frequency', `${hz} Hz; allowed: 1 to below ${sampleRateHz / 2}`);
      }
    }
    const radiansPerSample = Float64Array.from(tones, ({ hz }) => (2 * Math.PI * hz) / sampleRateHz);
    this.#count = tones.length;
    this.#amplitude = Float64Array.from(tones, ({ levelDbm0 }) => sinePeak(levelDbm0));
    this.#cosine = new Float64Array(tones.length).fill(1);
    this.#sine = new Float64Array(tones.length);
    this.#stepCosine = radiansPerSample.map(Math.cos);
    this.#stepSine = radiansPerSample.map(Math.sin);
  }

  /** Writes the next `length` samples to `out[offset]`, clipped to 16 bits. Allocates nothing. */
  generate(out: Int16Array, offset: number, length: number): void {
    const sum = this.#sum;
    for (let done = 0; done < length; done += BLOCK_SAMPLES) {
      const count = Math.min(BLOCK_SAMPLES, length - done);
      sum.fill(0);
      for (let tone = 0; tone < this.#count; tone++) this.#addTone(tone, count);
      for (let i = 0; i < count; i++) {
        out[offset + done + i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sum[i])));
      }
    }
  }

  #addTone(tone: number, length: number): void {
    const sum = this.#sum;
    const amplitude = this.#amplitude[tone];
    const stepCosine = this.#stepCosine[tone];
    const stepSine = this.#stepSine[tone];
    let cosine = this.#cosine[tone];
    let sine = this.#sine[tone];
    for (let i = 0; i < length; i++) {
      sum[i] += amplitude * sine;
      const next = cosine * stepCosine - sine * stepSine;
      sine = sine * stepCosine + cosine * stepSine;
      cosine = next;
    }
    // Rounding changes the phasor's length by about 1e-16 a sample; this keeps it at 1 for ever.
    const correction = 1 / Math.sqrt(cosine * cosine + sine * sine);
    this.#cosine[tone] = cosine * correction;
    this.#sine[tone] = sine * correction;
  }
}

/** `durationMs` of some sines as a new array. @throws AudioError `unsupported-frequency` */
export function generateTones(tones: readonly Tone[], sampleRateHz: number, durationMs: number): Int16Array {
  const samples = new Int16Array(Math.round((durationMs * sampleRateHz) / 1000));
  new ToneGenerator(tones, sampleRateHz).generate(samples, 0, samples.length);
  return samples;
}
