import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coarseTime, elapsedUs } from './coarse-time.ts';

const DAY_US = 86_400e6;

describe('coarse time', () => {
  test('what has elapsed is exact to a millisecond, at any uptime, up to 24 days', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4000 * DAY_US, noNaN: true }),
        fc.double({ min: 0, max: 24 * DAY_US, noNaN: true }),
        (thenUs, agoUs) => {
          const then = coarseTime(thenUs);
          expect(then).toBe(then | 0);
          expect(Math.abs(elapsedUs(thenUs + agoUs, then) - agoUs)).toBeLessThan(1001);
        },
      ),
    );
  });
});
