import { describe, expect, test } from '@jest/globals';
import { quantile, wayTimesMs } from './measured-phone.ts';

const payload = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

describe('way times', () => {
  test('pair what was sent once with what was heard once, whatever the order', () => {
    const sent = [
      { payload: payload(1), sentUs: 1000 },
      { payload: payload(2), sentUs: 21_000 },
    ];
    const heard = [
      { payload: payload(2), arrivalUs: 21_500 },
      { payload: payload(1), arrivalUs: 22_000 },
    ];
    expect(wayTimesMs(sent, heard)).toEqual([21, 0.5]);
  });

  test('leave out what repeats on either side, and what was lost', () => {
    const silence = payload(0xff, 0xff);
    const sent = [silence, silence, payload(1), payload(2)].map((bytes, i) => ({ payload: bytes, sentUs: i }));
    const heard = [silence, payload(1), payload(1)].map((bytes, i) => ({ payload: bytes, arrivalUs: i }));
    expect(wayTimesMs(sent, heard)).toEqual([]);
  });
});

test('quantiles are values that occurred', () => {
  expect([0, 0.5, 0.99, 1].map((share) => quantile([3, 1, 2], share))).toEqual([1, 2, 3, 3]);
  expect(quantile([], 0.5)).toBe(0);
});
