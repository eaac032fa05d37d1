import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

describe('Histogram', () => {
  test('is exact below 128 us', () => {
    const histogram = new Histogram();
    for (let us = 0; us < 128; us += 1) histogram.record(us);
    expect(histogram.quantileUs(0.5)).toBe(63);
    expect(histogram.quantileUs(1)).toBe(127);
  });

  test('an empty one has zeros', () => {
    expect(new Histogram().toMs()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
  });

  test('clock noise below zero counts as zero, and huge values are kept', () => {
    const histogram = new Histogram();
    histogram.record(-3);
    histogram.record(1e12);
    expect(histogram.count).toBe(2);
    expect(histogram.quantileUs(0.5)).toBe(0);
    expect(histogram.maxUs).toBe(1e12);
  });

  test('a quantile is never below the true one and at most 1/64 above', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, quantile) => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(Math.ceil(quantile * sorted.length), 1) - 1];
          const measured = histogram.quantileUs(quantile);
          expect(measured).toBeGreaterThanOrEqual(exact);
          expect(measured).toBeLessThanOrEqual(exact * (1 + 1 / 64));
        },
      ),
    );
  });
});
