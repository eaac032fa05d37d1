import { describe, expect, test } from '@jest/globals';
import { toneLevelDbfs } from './goertzel.ts';
import { DBM0_IN_DBFS, peak, peakDbfs, plotWaveform, rmsDbfs } from './levels.ts';
import { generateTones } from './tones.ts';

describe('levels', () => {
  test('a square of full scale is 0 dBFS, a sine 3.01 less', () => {
    const square = Int16Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? -32768 : 32767));
    expect(rmsDbfs(square)).toBeCloseTo(0, 3);
    expect(peakDbfs(square)).toBe(0);
    const sine = generateTones([{ hz: 1000, levelDbm0: 3.14 }], 8000, 100);
    expect(rmsDbfs(sine)).toBeCloseTo(-3.01, 2);
    expect(peakDbfs(sine)).toBeCloseTo(0, 2);
  });

  test('0 dBm0 is -6.15 dBFS', () => {
    expect(rmsDbfs(generateTones([{ hz: 1004, levelDbm0: 0 }], 8000, 1000))).toBeCloseTo(DBM0_IN_DBFS, 2);
    expect(DBM0_IN_DBFS).toBeCloseTo(-6.15, 2);
  });

  test('silence and nothing at all have no level', () => {
    for (const samples of [new Int16Array(10), new Int16Array(0)]) {
      expect(rmsDbfs(samples)).toBe(Number.NEGATIVE_INFINITY);
      expect(peakDbfs(samples)).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  test('only the given range counts', () => {
    const samples = Int16Array.of(30_000, 100, -200, 30_000);
    expect(peak(samples, 1, 2)).toBe(200);
    expect(rmsDbfs(samples, 1, 2)).toBeCloseTo(10 * Math.log10(25_000 / 32768 ** 2), 9);
  });

  test('Goertzel tells a tone from its neighbour and reads its level', () => {
    const samples = generateTones([{ hz: 697, levelDbm0: -20 }], 8000, 50);
    expect(toneLevelDbfs(samples, 0, 400, 697, 8000)).toBeCloseTo(DBM0_IN_DBFS - 20, 0);
    expect(toneLevelDbfs(samples, 0, 400, 770, 8000)).toBeLessThan(DBM0_IN_DBFS - 30);
  });
});

describe('plotWaveform', () => {
  test('shows the peak of each column in steps of 6 dB', () => {
    const samples = Int16Array.of(0, 0, 127, 0, -128, 0, 511, 0, 1024, 0, 0, -4096, 16_383, 0, -32768, 0);
    expect(plotWaveform(samples, 8)).toBe('  ▁▂▄▆▇█');
  });

  test('has as many characters as columns, also with fewer samples', () => {
    expect(plotWaveform(new Int16Array(0), 5)).toBe('     ');
    expect(plotWaveform(Int16Array.of(32767, 32767), 4)).toHaveLength(4);
    expect(plotWaveform(new Int16Array(1000).fill(20_000), 60)).toBe('█'.repeat(60));
  });
});
