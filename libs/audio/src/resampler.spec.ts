import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AudioError } from './errors.ts';
import { toneLevelDbfs, tonePower } from './goertzel.ts';
import { meanSquareToDbfs, rmsDbfs } from './levels.ts';
import { resample, Resampler, SAMPLE_RATES_HZ } from './resampler.ts';
import { generateTones, sinePeak } from './tones.ts';

const tone = (hz: number, rate: number, ms = 400): Int16Array => generateTones([{ hz, levelDbm0: -3 }], rate, ms);
/** The ends, where the signal meets silence, are left out. */
const middle = (samples: Int16Array): [number, number] => [
  Math.floor(samples.length * 0.2),
  Math.floor(samples.length * 0.6),
];
const pairs = SAMPLE_RATES_HZ.flatMap((from) =>
  SAMPLE_RATES_HZ.filter((to) => to !== from).map((to): [number, number] => [from, to]),
);

describe('resampler', () => {
  test('48 to 8 kHz: what lies above the new band is gone, not folded down', () => {
    for (const hz of [4400, 5000, 6000, 7000, 9000, 11_500, 15_000, 23_000]) {
      const input = tone(hz, 48_000);
      const output = resample(input, 48_000, 8000);
      const [from, length] = middle(output);
      expect(rmsDbfs(output, from, length) - rmsDbfs(input)).toBeLessThan(-70);
    }
  });

  test.each([
    [48_000, 8000],
    [44_100, 8000],
    [11_025, 8000],
    [8000, 48_000],
    [8000, 11_025],
  ])('%i to %i Hz is flat up to 3.4 kHz', (from, to) => {
    for (let hz = 100; hz <= 3400; hz += 300) {
      const input = tone(hz, from);
      const output = resample(input, from, to);
      const level = toneLevelDbfs(output, ...middle(output), hz, to);
      expect(Math.abs(level - toneLevelDbfs(input, ...middle(input), hz, from))).toBeLessThan(0.05);
    }
  });

  test.each(pairs)('%i to %i Hz keeps a tone, its level, its place in time and nothing beside it', (from, to) => {
    const hz = 1000;
    const input = tone(hz, from);
    const output = resample(input, from, to);
    expect(output).toHaveLength(Math.ceil((input.length * to) / from));

    const expected = tone(hz, to);
    const [start, length] = middle(output);
    let error = 0;
    for (let i = start; i < start + length; i++) error += (output[i] - expected[i]) ** 2;
    const signal = tonePower(expected, start, length, hz, to);
    expect(meanSquareToDbfs(error / length) - meanSquareToDbfs(signal)).toBeLessThan(-60);
  });

  test('8 to 48 kHz leaves no image of the band above 4 kHz', () => {
    const output = resample(tone(3000, 8000), 8000, 48_000);
    const [start, length] = middle(output);
    for (const image of [5000, 11_000, 13_000, 19_000]) {
      expect(toneLevelDbfs(output, start, length, image, 48_000)).toBeLessThan(-80);
    }
  });

  test('a constant of full scale stays what it is', () => {
    const output = resample(new Int16Array(4410).fill(-32768), 44_100, 8000);
    const [start, length] = middle(output);
    expect(output.slice(start, start + length).every((sample) => sample <= -32767)).toBe(true);
  });

  test('overshoot is clipped, never wrapped', () => {
    const square = Int16Array.from({ length: 4800 }, (_, i) => (Math.floor(i / 96) % 2 === 0 ? 32767 : -32768));
    const output = resample(square, 48_000, 8000);
    // Each half wave of the 250 Hz square has 16 outputs; those away from the edges keep its sign.
    const wrapped = output.filter(
      (sample, i) => i % 16 >= 4 && i % 16 < 12 && Math.sign(sample) !== (Math.floor(i / 16) % 2 === 0 ? 1 : -1),
    );
    expect(output).toContain(32767);
    expect([...wrapped]).toEqual([]);
  });

  test('pieces of any length give what the whole gives', () => {
    const input = Int16Array.from({ length: 6000 }, (_, i) => ((i * 7919) % 40_000) - 20_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...pairs),
        fc.constantFrom('streaming', 'aligned' as const),
        fc.array(fc.integer({ min: 0, max: 2500 }), { maxLength: 12 }),
        ([from, to], timing, lengths) => {
          const whole = new Resampler(from, to, timing);
          const expected = new Int16Array(whole.outputLength(input.length));
          const total = whole.process(input, 0, input.length, expected, 0);

          const resampler = new Resampler(from, to, timing);
          const output = new Int16Array(expected.length);
          let read = 0;
          let written = 0;
          for (const wanted of [...lengths, input.length]) {
            const length = Math.min(wanted, input.length - read);
            const count = resampler.process(input, read, length, output, written);
            expect(count).toBeLessThanOrEqual(resampler.outputLength(length));
            read += length;
            written += count;
          }
          expect(written).toBe(total);
          expect(Buffer.compare(Buffer.from(output.buffer), Buffer.from(expected.buffer))).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('streaming gives a 20 ms frame for a 20 ms frame, late by delayMs', () => {
    const resampler = new Resampler(48_000, 8000, 'streaming');
    const input = tone(700, 48_000);
    const output = new Int16Array(3200);
    for (let frame = 0; frame < 20; frame++) {
      expect(resampler.process(input, frame * 960, 960, output, frame * 160)).toBe(160);
    }
    const delaySamples = resampler.delayMs * 8;
    expect(delaySamples).toBeGreaterThan(15);
    const amplitude = sinePeak(-3);
    let worst = 0;
    for (let i = 200; i < 3000; i++) {
      const exact = amplitude * Math.sin((2 * Math.PI * 700 * (i - delaySamples)) / 8000);
      worst = Math.max(worst, Math.abs(output[i] - exact));
    }
    expect(worst / amplitude).toBeLessThan(0.001);
  });

  test('reset forgets what came before', () => {
    const resampler = new Resampler(16_000, 8000, 'aligned');
    const first = new Int16Array(200);
    const second = new Int16Array(200);
    resampler.process(tone(1000, 16_000), 0, 400, first, 0);
    resampler.reset();
    resampler.process(tone(1000, 16_000), 0, 400, second, 0);
    expect(second).toEqual(first);
  });

  test('equal rates pass the samples through', () => {
    const input = Int16Array.of(1, -2, 32767, -32768, 5);
    expect(resample(input, 8000, 8000)).toEqual(input);
    expect(new Resampler(8000, 8000, 'streaming').delayMs).toBe(0);
  });

  test('refuses other rates', () => {
    expect(() => new Resampler(8000, 9000, 'streaming')).toThrow(
      new AudioError('unsupported-rate', `9000 Hz; allowed: ${SAMPLE_RATES_HZ.join(', ')}`),
    );
  });
});
