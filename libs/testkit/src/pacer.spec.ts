import { describe, expect, test } from '@jest/globals';
import { Pacer } from './pacer.ts';

describe('Pacer', () => {
  test('makes up for a late timer: as many ticks as intervals have passed, and none after stop', async () => {
    const stall = 55_000;
    let nowUs = 0;
    const ticks: number[] = [];
    await new Promise<void>((resolve) => {
      const pacer = new Pacer(
        10_000,
        () => nowUs,
        () => {
          ticks.push(nowUs);
          // The fourth tick stops it: the others that are overdue do not come any more.
          if (ticks.length === 4) {
            pacer.stop();
            expect(pacer.maxLateUs).toBe(stall);
            setImmediate(resolve);
          }
        },
      );
      nowUs = stall;
    });
    expect(ticks).toEqual([stall, stall, stall, stall]);
  });

  test('counts from its start, not from its last tick', async () => {
    const ticks: number[] = [];
    let nowUs = 0;
    await new Promise<void>((resolve) => {
      const pacer = new Pacer(
        1000,
        () => nowUs,
        () => {
          // Each tick takes 700 us: were it counted from its end, the clock would show 1700 us a tick.
          ticks.push(Math.floor(nowUs / 1000));
          nowUs += 700;
          if (ticks.length < 10) return;
          pacer.stop();
          resolve();
        },
      );
      const advance = setInterval(() => {
        nowUs += 100;
        if (ticks.length >= 10) clearInterval(advance);
      }, 0);
    });
    expect(ticks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
