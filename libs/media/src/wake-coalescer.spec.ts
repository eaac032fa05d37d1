import { describe, expect, test } from '@jest/globals';
import { WakeCoalescer } from './wake-coalescer.ts';

/** Feeds a steady rate for half a second and returns the pause it settles on. */
const settled = (packetsPerSecond: number, budgetUs: number, capacity = 256): number => {
  const coalescer = new WakeCoalescer(budgetUs, capacity, 0);
  const stepUs = 2000;
  for (let nowUs = stepUs; nowUs <= 500_000; nowUs += stepUs) {
    coalescer.observe((packetsPerSecond * stepUs) / 1e6, false, nowUs);
  }
  return coalescer.pauseUs(Infinity);
};

describe('WakeCoalescer', () => {
  test('uses its whole budget at a rate where it pays', () => {
    expect(settled(50_000, 500)).toBe(500);
  });

  test('does not delay rare packets', () => {
    expect(settled(500, 500)).toBe(0);
  });

  test('shortens the pause where half a batch gathers sooner', () => {
    expect(settled(100_000, 5000)).toBeCloseTo(1280, -2);
  });

  test('stops at once when a pass finds a backlog or a full batch, or nothing', () => {
    for (const [received, backlog] of [
      [100, true],
      [256, false],
      [0, false],
    ] as const) {
      const coalescer = new WakeCoalescer(500, 256, 0);
      for (let nowUs = 1000; nowUs < 200_000; nowUs += 1000) coalescer.observe(50, false, nowUs);
      expect(coalescer.pauseUs(Infinity)).toBe(500);
      coalescer.observe(received, backlog, 200_000);
      expect(coalescer.pauseUs(Infinity)).toBe(0);
    }
  });

  test('never sleeps past the next timer', () => {
    const coalescer = new WakeCoalescer(500, 256, 0);
    for (let nowUs = 1000; nowUs < 200_000; nowUs += 1000) coalescer.observe(50, false, nowUs);
    expect(coalescer.pauseUs(120)).toBe(120);
    expect(coalescer.pauseUs(-5)).toBe(0);
  });
});
