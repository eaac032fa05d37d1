import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addSequence,
  isSequenceBefore,
  isSequenceRestart,
  nextSequence,
  SEQUENCE_RESTART_PACKETS,
  sequenceDistance,
} from './sequence.ts';

const LAST = 2 ** 31 - 1;
const sequence = () => fc.oneof(fc.nat(LAST), fc.constantFrom(0, 1, 2 ** 30 - 1, 2 ** 30, 2 ** 30 + 1, LAST - 1, LAST));

test.each([
  [0, 1],
  [2 ** 30 - 1, 2 ** 30],
  [LAST - 1, LAST],
  [LAST, 0],
])('after %i comes %i', (from, to) => {
  expect(nextSequence(from)).toBe(to);
  expect(addSequence(to, -1)).toBe(from);
  expect(sequenceDistance(from, to)).toBe(1);
  expect(sequenceDistance(to, from)).toBe(-1);
  expect(isSequenceBefore(from, to)).toBe(true);
  expect(isSequenceBefore(to, from)).toBe(false);
  expect(isSequenceBefore(to, to)).toBe(false);
});

test.each([
  [0, 2 ** 30 - 1, 2 ** 30 - 1],
  [0, 2 ** 30, -(2 ** 30)],
  [0, 2 ** 30 + 1, -(2 ** 30) + 1],
  [2 ** 30, 0, -(2 ** 30)],
  [LAST - 1999, 0, 2000],
  [5, LAST, -6],
])('from %i to %i it is %i', (from, to, distance) => {
  expect(sequenceDistance(from, to)).toBe(distance);
});

test('distance and addition agree everywhere on the circle', () => {
  fc.assert(
    fc.property(sequence(), fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 }), (from, distance) => {
      const to = addSequence(from, distance);
      expect(to).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(LAST);
      expect(sequenceDistance(from, to)).toBe(distance);
    }),
  );
});

describe('isSequenceRestart', () => {
  test('a stream goes on across the wrap, with a gap, and with late packets', () => {
    expect(isSequenceRestart(LAST, 0)).toBe(false);
    expect(isSequenceRestart(LAST - 5, 30_000)).toBe(false);
    expect(isSequenceRestart(3, LAST - 1000)).toBe(false);
    expect(isSequenceRestart(0, SEQUENCE_RESTART_PACKETS)).toBe(false);
    expect(isSequenceRestart(SEQUENCE_RESTART_PACKETS, 0)).toBe(false);
  });

  test('an encoder that restarts lower or higher is another line', () => {
    expect(isSequenceRestart(1_900_000_000, 12_345)).toBe(true);
    expect(isSequenceRestart(12_345, 1_000_000_000)).toBe(true);
    expect(isSequenceRestart(0, SEQUENCE_RESTART_PACKETS + 1)).toBe(true);
    expect(isSequenceRestart(SEQUENCE_RESTART_PACKETS + 1, 0)).toBe(true);
  });
});
