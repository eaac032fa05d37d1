import { describe, expect, test } from '@jest/globals';
import { RttFilter } from './rtt-filter.ts';

function filled(...samples: number[]): RttFilter {
  const filter = new RttFilter();
  for (const sample of samples) filter.add(sample);
  return filter;
}

const wobble = (base: number, count: number): number[] => Array.from({ length: count }, (_, i) => base + (i % 3));

describe('the round trip', () => {
  test('is the first sample, then smoothed, and follows a change', () => {
    expect(new RttFilter()).toMatchObject({ valueMs: -1, minMs: -1, samples: 0 });
    expect(filled(40).valueMs).toBe(40);
    const filter = filled(...wobble(40, 60));
    expect(Math.abs(filter.valueMs - 41)).toBeLessThan(1);
    filter.add(200);
    expect(filter.valueMs).toBeLessThan(200);
    for (const sample of wobble(100, 30)) filter.add(sample);
    expect(Math.abs(filter.valueMs - 101)).toBeLessThan(3);
    expect(filled(300, 1, 1, 1, 1, 1, 1).valueMs).toBeGreaterThanOrEqual(0);
  });

  test('has a trend', () => {
    expect(filled(...Array.from({ length: 30 }, (_, i) => 40 + 5 * i)).velocityMs).toBeCloseTo(5, 0);
    expect(Math.abs(filled(...wobble(40, 60)).velocityMs)).toBeLessThan(2);
  });

  test('has a minimum of the last half minute', () => {
    const filter = filled(30);
    for (let second = 0; second < 29; second += 1) {
      filter.tick();
      filter.add(80);
    }
    expect(filter.minMs).toBe(30);
    filter.tick();
    filter.add(80);
    expect(filter.minMs).toBe(80);
  });

  test('tells of a queue that builds, not of jitter', () => {
    const filter = filled(...wobble(40, 114));
    expect(filter.isQueueBuilding).toBe(false);
    for (const sample of wobble(90, 24)) filter.add(sample);
    expect(filter.isQueueBuilding).toBe(true);
    // It has always been so.
    for (const sample of wobble(90, 120)) filter.add(sample);
    expect(filter.isQueueBuilding).toBe(false);
    expect(filled(...Array.from({ length: 200 }, (_, i) => 40 + 60 * (i % 2))).isQueueBuilding).toBe(false);
  });

  test('is forgotten', () => {
    const filter = filled(...wobble(40, 60));
    filter.reset();
    expect(filter).toMatchObject({ valueMs: -1, minMs: -1, samples: 0, deviationMs: 0 });
    filter.add(7);
    expect(filter).toMatchObject({ valueMs: 7, minMs: 7 });
  });
});
