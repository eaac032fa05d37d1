import { describe, expect, test } from '@jest/globals';
import { median, ratios, summarise } from './compare.ts';
import type { Result } from './result.ts';
import { makeResult } from './result.ts';

const run = (measured: Partial<Result>): Result =>
  makeResult({ scenario: 'rtp-echo', engine: 'ours', channels: 1, seconds: 1 }, measured);

describe('median', () => {
  test('of an odd and of an even number of values', () => {
    expect(median([30, 2, 10])).toBe(10);
    expect(median([4, 1, 10, 2])).toBe(3);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('summarise', () => {
  test('runs whose generator was late do not count', () => {
    const runs = [
      run({ cpuMicrosPerPacket: 5 }),
      run({ cpuMicrosPerPacket: 7 }),
      run({ cpuMicrosPerPacket: 100, generatorLate: true }),
    ];
    expect(summarise('ours', runs)).toMatchObject({ lateRuns: 1, median: { cpuMicrosPerPacket: 6 } });
  });

  test('if all were late they count, and say so', () => {
    const runs = [run({ cpuMicrosPerPacket: 100, generatorLate: true })];
    expect(summarise('ours', runs)).toMatchObject({ lateRuns: 1, median: { cpuMicrosPerPacket: 100 } });
  });

  test('the largest is that of all runs', () => {
    const runs = [3, 70, 5].map((lastNewDataMs, i) => run({ details: { lastNewDataMs }, generatorLate: i === 1 }));
    expect(summarise('ours', runs).largest).toEqual({ lastNewDataMs: 70 });
  });

  test('figures of a single scenario are there, those not measured are not', () => {
    const { median: figures } = summarise('ours', [run({ details: { channelsPerSecond: 1700 } })]);
    expect(figures).toEqual({ channelsPerSecond: 1700 });
  });
});

test('ratios leave out what the peer has as 0 or not at all', () => {
  const ours = summarise('ours', [run({ cpuMicrosPerPacket: 6, rssPerChannelBytes: 10 })]);
  const peer = summarise('bare', [run({ cpuMicrosPerPacket: 4 })]);
  expect(ratios(ours, peer)).toEqual({ cpuMicrosPerPacket: 1.5 });
});

test('ratios are those of the rounds, not of the medians, so that a slow minute of the machine is in both', () => {
  const ours = summarise(
    'ours',
    [2, 20, 3].map((cpuMicrosPerPacket) => run({ cpuMicrosPerPacket })),
  );
  const peer = summarise('bare', [
    run({ cpuMicrosPerPacket: 4 }),
    run({ cpuMicrosPerPacket: 40 }),
    run({ cpuMicrosPerPacket: 4, generatorLate: true }),
  ]);
  expect(ratios(ours, peer)).toEqual({ cpuMicrosPerPacket: 0.5 });
});
