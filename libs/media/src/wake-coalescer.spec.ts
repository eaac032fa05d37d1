import { describe, expect, test } from '@jest/globals';
import { WakeCoalescer } from './wake-coalescer.ts';

const STEP_US = 1000;
const SETTLED_US = 500_000;

/** One that has seen a steady rate for half a second. */
const after = (packetsPerSecond: number, budgetUs: number, capacity = 256): WakeCoalescer => {
  const coalescer = new WakeCoalescer(budgetUs, capacity, 0);
  for (let nowUs = STEP_US; nowUs <= SETTLED_US; nowUs += STEP_US) {
    coalescer.observe((packetsPerSecond * STEP_US) / 1e6, false, nowUs);
  }
  return coalescer;
};

describe('WakeCoalescer', () => {
  test('uses its whole budget at a rate where it pays', () => {
    expect(after(50_000, 500).pauseUs(Infinity, SETTLED_US)).toBe(500);
  });

  test('does not delay rare packets', () => {
    expect(after(500, 500).pauseUs(Infinity, SETTLED_US)).toBe(0);
  });

  test('shortens the interval where half a batch gathers sooner', () => {
    expect(after(100_000, 5000).pauseUs(Infinity, SETTLED_US)).toBeCloseTo(1280, -2);
  });

  test('counts the time that serving the datagrams took, and does not sleep for what is hardly left', () => {
    const coalescer = after(50_000, 500);
    expect(coalescer.pauseUs(Infinity, SETTLED_US + 200)).toBe(300);
    expect(coalescer.pauseUs(Infinity, SETTLED_US + 460)).toBe(0);
    expect(coalescer.pauseUs(Infinity, SETTLED_US + 3000)).toBe(0);
  });

  test('stops at once when a pass finds a backlog or a full batch, or nothing', () => {
    for (const [received, backlog] of [
      [100, true],
      [256, false],
      [0, false],
    ] as const) {
      const coalescer = after(50_000, 500);
      const nowUs = SETTLED_US + STEP_US;
      coalescer.observe(received, backlog, nowUs);
      expect(coalescer.pauseUs(Infinity, nowUs)).toBe(0);
    }
  });

  test('never sleeps past the next timer', () => {
    const coalescer = after(50_000, 500);
    expect(coalescer.pauseUs(SETTLED_US + 120, SETTLED_US)).toBe(120);
    expect(coalescer.pauseUs(SETTLED_US - 5, SETTLED_US)).toBe(0);
  });
});
