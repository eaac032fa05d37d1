import { expect, test } from '@jest/globals';
import { AnswerFilter } from './answer-filter.ts';

const OFFSET = 50;

function answers() {
  const filter = new AnswerFilter();
  const bytes = new Uint8Array(2000);
  const view = new DataView(bytes.buffer);
  return (length: number, stamp: number, last: number, nowUs = 0): boolean => {
    bytes.fill(7, OFFSET, OFFSET + length);
    view.setUint32(OFFSET + 8, stamp);
    bytes[OFFSET + length - 1] = last;
    return filter.isCopy(bytes, view, OFFSET, length, nowUs);
  };
}

test('a copy is the same to the last byte, and of the same length', () => {
  const isCopy = answers();
  expect(isCopy(44, 1, 0)).toBe(false);
  expect([isCopy(44, 2, 0), isCopy(44, 1, 9), isCopy(40, 1, 0)]).toEqual([false, false, false]);
  expect([isCopy(44, 1, 0), isCopy(44, 2, 0), isCopy(44, 1, 9), isCopy(40, 1, 0)]).toEqual([true, true, true, true]);
});

test('the last 32 are known, for five seconds', () => {
  const isCopy = answers();
  for (let stamp = 0; stamp < 33; stamp += 1) expect(isCopy(20, stamp, 0)).toBe(false);
  expect([isCopy(20, 1, 0, 4.9e6), isCopy(20, 0, 0, 4.9e6), isCopy(20, 20, 0, 5.1e6)]).toEqual([true, false, false]);
});

test('what is too long to be kept is never a copy', () => {
  const isCopy = answers();
  expect([isCopy(1501, 1, 0), isCopy(1501, 1, 0), isCopy(1500, 1, 0), isCopy(1500, 1, 0)]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
