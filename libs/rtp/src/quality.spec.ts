import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { delayImpairment, estimateMos, lossImpairment, mosFromR } from './quality.ts';

describe('ITU-T', () => {
  // G.107 table B.1, the lower limits of user satisfaction, and the R of all defaults.
  test.each([
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [93.2, 4.41],
  ])('R %f is MOS %f', (r, mos) => {
    expect(Math.abs(mosFromR(r) - mos)).toBeLessThanOrEqual(0.01);
  });

  // G.113 (02/2001) appendix I, G.711 with concealment, random loss: listening tests, in steps of 5 or so.
  test.each([
    [0, 0],
    [2, 7],
    [3, 10],
    [5, 15],
    [7, 20],
    [10, 25],
    [15, 35],
    [20, 45],
  ])('%f %% loss is an impairment near %f', (percent, ie) => {
    expect(Math.abs(lossImpairment(percent / 100) - ie)).toBeLessThanOrEqual(3);
  });

  // G.114 figure 1: hardly a loss at 150 ms, R about 90 at 200 ms and about 70 at 400 ms.
  test.each([
    [100, 0],
    [150, 0],
    [200, 3],
    [400, 24],
  ])('%f ms one way is an impairment near %f', (ms, idd) => {
    expect(Math.abs(delayImpairment(ms) - idd)).toBeLessThanOrEqual(1);
  });
});

test('a perfect call is 4.41, a dead one 1', () => {
  expect(estimateMos(0, 0, 0)).toBeCloseTo(4.41, 2);
  expect(estimateMos(1, 500, 5000)).toBe(1);
});

test('is always on the scale, and gets no better by more loss, jitter or delay', () => {
  const ms = fc.float({ min: 0, max: 5000, noNaN: true });
  const ratio = fc.float({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(ratio, ms, ms, ratio, ms, (loss, jitter, roundTrip, moreLoss, moreMs) => {
      const mos = estimateMos(loss, jitter, roundTrip);
      expect(mos >= 1 && mos <= 4.5).toBe(true);
      for (const worse of [
        estimateMos(Math.min(1, loss + moreLoss), jitter, roundTrip),
        estimateMos(loss, jitter + moreMs, roundTrip),
        estimateMos(loss, jitter, roundTrip + moreMs),
      ]) {
        expect(worse).toBeLessThanOrEqual(mos + 1e-9);
      }
    }),
  );
});
