import { describe, expect, test } from '@jest/globals';
import { AudioError } from './errors.ts';
import { toneLevelDbfs } from './goertzel.ts';
import { DBM0_IN_DBFS, peak } from './levels.ts';
import { CALL_PROGRESS_TONES, dtmfTones, generateTones, sinePeak, ToneGenerator } from './tones.ts';

describe('tones', () => {
  test('a sine has its frequency, phase and level, to the rounding of a sample, after minutes too', () => {
    const generator = new ToneGenerator([{ hz: 1004, levelDbm0: -10 }], 8000);
    const samples = new Int16Array(8000 * 120);
    generator.generate(samples, 0, samples.length);
    for (let i = samples.length - 100; i < samples.length; i++) {
      const exact = sinePeak(-10) * Math.sin((2 * Math.PI * 1004 * i) / 8000);
      expect(Math.abs(samples[i] - exact)).toBeLessThan(0.51);
    }
  });

  test('pieces join without a step', () => {
    const whole = generateTones(CALL_PROGRESS_TONES.ringback, 8000, 200);
    const generator = new ToneGenerator(CALL_PROGRESS_TONES.ringback, 8000);
    const pieces = new Int16Array(1600);
    for (let at = 0, length = 1; at < 1600; at += length, length = Math.min(length * 2, 1600 - at)) {
      generator.generate(pieces, at, length);
    }
    expect(pieces).toEqual(whole);
  });

  test('0 dBm0 is 3.14 dB below full scale', () => {
    expect(sinePeak(3.14)).toBeCloseTo(32768, 6);
    expect(sinePeak(0)).toBeCloseTo(22827, 0);
    expect(peak(generateTones([{ hz: 2000, levelDbm0: 0 }], 8000, 10))).toBe(Math.round(sinePeak(0)));
  });

  test('too loud a sum is clipped', () => {
    const loud = { hz: 1000, levelDbm0: 3 };
    const samples = generateTones([loud, loud], 8000, 20);
    expect(Math.max(...samples)).toBe(32767);
    expect(Math.min(...samples)).toBe(-32768);
  });

  test.each([
    ['1', 697, 1209],
    ['6', 770, 1477],
    ['8', 852, 1336],
    ['0', 941, 1336],
    ['*', 941, 1209],
    ['#', 941, 1477],
    ['A', 697, 1633],
    ['d', 941, 1633],
  ])('digit %s is %i and %i Hz, and only these (Q.23)', (digit, low, high) => {
    const tones = dtmfTones(digit, -9);
    expect(tones?.map((tone) => tone.hz)).toEqual([low, high]);
    const samples = generateTones(tones ?? [], 8000, 100);
    for (const hz of [697, 770, 852, 941, 1209, 1336, 1477, 1633]) {
      const level = toneLevelDbfs(samples, 0, samples.length, hz, 8000);
      if (hz === low || hz === high) expect(Math.abs(level - (DBM0_IN_DBFS - 9))).toBeLessThan(0.5);
      else expect(level).toBeLessThan(DBM0_IN_DBFS - 9 - 15);
    }
  });

  test.each(['', 'E', '12', ' '])('%j is no digit', (digit) => {
    expect(dtmfTones(digit, -9)).toBeNull();
  });

  test.each([0, 4000, -5, Number.NaN])('%d Hz at 8 kHz is refused', (hz) => {
    expect(() => new ToneGenerator([{ hz, levelDbm0: 0 }], 8000)).toThrow(AudioError);
  });
});
