import { describe, expect, test } from '@jest/globals';
import { DBM0_IN_DBFS, generateTones } from '@mediaplane/audio';
import { bandEnergyRatio, dominantFrequencyHz, fft, findTone, powerSpectrum } from './spectrum.ts';

const tone = (hz: number, ms: number, rate = 8000): Int16Array => generateTones([{ hz, levelDbm0: -10 }], rate, ms);
const joined = (...parts: Int16Array[]): Int16Array => Int16Array.from(parts.flatMap((part) => [...part]));

describe('fft', () => {
  test('agrees with the definition', () => {
    const input = Array.from({ length: 16 }, (_, i) => ((i * 37) % 23) - 11);
    const real = Float64Array.from(input);
    const imaginary = new Float64Array(16);
    fft(real, imaginary);
    for (let k = 0; k < 16; k++) {
      const cosines = input.reduce((sum, x, i) => sum + x * Math.cos((2 * Math.PI * k * i) / 16), 0);
      const sines = input.reduce((sum, x, i) => sum - x * Math.sin((2 * Math.PI * k * i) / 16), 0);
      expect(real[k]).toBeCloseTo(cosines, 9);
      expect(imaginary[k]).toBeCloseTo(sines, 9);
    }
    fft(real, imaginary, 'inverse');
    input.forEach((x, i) => expect(real[i] / 16).toBeCloseTo(x, 9));
  });

  test('takes powers of two only', () => {
    expect(() => fft(new Float64Array(12), new Float64Array(12))).toThrow(RangeError);
  });
});

describe('spectrum', () => {
  test.each([
    [440, 1000, 8000],
    [1004.3, 300, 8000],
    [3399, 60, 8000],
    [61, 400, 8000],
    [997, 500, 48_000],
  ])('%d Hz for %d ms at %d Hz is found', (hz, ms, rate) => {
    expect(Math.abs(dominantFrequencyHz(tone(hz, ms, rate), rate) - hz)).toBeLessThan(2);
  });

  test('silence has no frequency, an offset is none', () => {
    expect(dominantFrequencyHz(new Int16Array(4000), 8000)).toBeNaN();
    expect(dominantFrequencyHz(new Int16Array(0), 8000)).toBeNaN();
    const shifted = tone(500, 500).map((sample) => sample + 15_000);
    expect(dominantFrequencyHz(shifted, 8000)).toBeCloseTo(500, 0);
  });

  test('the energy of a tone lies in its band, that of two in both', () => {
    expect(bandEnergyRatio(tone(1000, 500), 8000, 1000, 20)).toBeGreaterThan(0.999);
    expect(bandEnergyRatio(tone(1000, 500), 8000, 1200, 100)).toBeLessThan(0.001);
    const dual = generateTones(
      [
        { hz: 440, levelDbm0: -13 },
        { hz: 480, levelDbm0: -13 },
      ],
      8000,
      1000,
    );
    expect(bandEnergyRatio(dual, 8000, 440, 20)).toBeCloseTo(0.5, 2);
    expect(bandEnergyRatio(new Int16Array(1000), 8000, 440, 20)).toBe(0);
  });

  test('bins reach to half the rate', () => {
    const { binHz, power } = powerSpectrum(tone(1000, 3000), 8000);
    expect(binHz * (power.length - 1)).toBe(4000);
  });
});

describe('findTone', () => {
  test('tells when, how long and how loud', () => {
    const samples = joined(new Int16Array(800), tone(1209, 80), tone(600, 100), tone(1209, 300), new Int16Array(800));
    const found = findTone(samples, 8000, 1209);
    expect(found).toMatchObject({ startMs: 280, durationMs: 300 });
    expect(found?.levelDbfs).toBeCloseTo(DBM0_IN_DBFS - 10, 1);
  });

  test('does not find what is not there', () => {
    expect(findTone(tone(1000, 500), 8000, 1100)).toBeNull();
    expect(findTone(new Int16Array(8000), 8000, 1000)).toBeNull();
    expect(
      findTone(
        tone(1000, 500).map((sample) => sample / 500),
        8000,
        1000,
      ),
    ).toBeNull();
  });
});
