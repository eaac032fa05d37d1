import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addSequence, sequenceDistance } from './sequence.ts';
import { bytesOf, guarded, viewOf } from './spec-views.ts';
import { countLosses, NAK_MAX_PACKETS, nakLengthWithoutPadding, NakReader } from './srt-nak.ts';

const HEADER = '80030000 00000000 c0a80101 8dd21dbb';
const reader = new NakReader();

function walk(bytes: Uint8Array, offset = 0) {
  const view = guarded(bytes, offset);
  const ranges: [number, number][] = [];
  reader.begin(view, offset, bytes.length);
  while (reader.next()) ranges.push([reader.first, reader.last]);
  return ranges;
}
const losses = (list: string) => walk(bytesOf(HEADER + list));

describe('NakReader', () => {
  test('walks singles and ranges', () => {
    expect(losses('0000000a 80000010 00000020 7ffffffe')).toEqual([
      [0x0a, 0x0a],
      [0x10, 0x20],
      [0x7ffffffe, 0x7ffffffe],
    ]);
  });

  test('begins at byte 16: information, timestamp and socket id are no losses, bit 31 set or not', () => {
    expect(losses('00000001')).toEqual([[1, 1]]);
    expect(walk(bytesOf('80030000 00000005 00000006 00000007 00000001'))).toEqual([[1, 1]]);
  });

  test('goes through 2^30, and a range across the wrap', () => {
    expect(losses('bfffffff 40000001')).toEqual([[0x3fffffff, 0x40000001]]);
    expect(losses('fffffffe 00000001')).toEqual([[0x7ffffffe, 1]]);
    expect(countLosses(viewOf(bytesOf(HEADER + 'fffffffe 00000001')), 0, 24)).toBe(4);
  });

  test.each([
    ['without a list', '', []],
    ['with half a word', '0000', []],
    ['with a range that has no end', '00000005 80000010', [[5, 5]]],
    ['with a range whose end is cut off', '00000005 80000010 000000', [[5, 5]]],
    ['with an end before its first', '00000005 80000010 0000000f 00000020', [[5, 5]]],
    ['with two first ends', '00000005 80000010 80000012 00000020', [[5, 5]]],
    ['with a range of one', '80000010 00000010', [[16, 16]]],
  ])('gives what is well-formed of a list %s', (_, list, ranges) => {
    expect(losses(list)).toEqual(ranges);
  });

  test('believes in so many losses only, in one range and in all', () => {
    expect(losses('00000005 80000010 7fffffff')).toEqual([[5, 5]]);
    const most = NAK_MAX_PACKETS.toString(16).padStart(8, '0');
    expect(losses(`80000001 ${most}`)).toEqual([[1, NAK_MAX_PACKETS]]);
    expect(losses(`80000000 ${most}`)).toEqual([]);
    const half = 'c0000000 40002fff';
    expect(losses(half + half + half)).toHaveLength(2);
  });

  test('takes a limit of its own', () => {
    const small = new NakReader(2);
    small.begin(viewOf(bytesOf(HEADER + '00000001 00000003 00000005')), 0, 28);
    expect([small.next(), small.next(), small.next(), small.next()]).toEqual([true, true, false, false]);
  });

  test('serves one NAK after another, also when it was left in the middle', () => {
    reader.begin(viewOf(bytesOf(HEADER + '00000001 00000003')), 0, 24);
    reader.next();
    expect(losses('00000007')).toEqual([[7, 7]]);
  });
});

describe('zeros that a relay appended', () => {
  const padded = (list: string) => bytesOf((HEADER + list).replace(/\s/g, '').padEnd(64, '0'));

  test.each([
    ['20 bytes, below 2^30', '3ffffff0'],
    ['20 bytes, above 2^30', '40000010'],
    ['24 bytes', '00000003 00000005'],
    ['24 bytes with a range', '80000003 00000005'],
    ['28 bytes', '50000000 50000002 50000004'],
  ])('are no loss of packet 0: %s', (_, list) => {
    const bytes = padded(list);
    expect(bytes).toHaveLength(32);
    expect(walk(bytes)).toEqual(losses(list));
    expect(nakLengthWithoutPadding(viewOf(bytes), 0, 32)).toBe(bytesOf(HEADER + list).length);
  });

  test.each([
    [
      'after the last before the wrap',
      '7fffffff 00000000',
      [
        [0x7fffffff, 0x7fffffff],
        [0, 0],
      ],
    ],
    ['at the end of a range', 'fffffffd 00000000', [[0x7ffffffd, 0]]],
    ['alone', '00000000', [[0, 0]]],
  ])('leave packet 0 where it can be lost: %s', (_, list, ranges) => {
    expect(losses(list)).toEqual(ranges);
    expect(walk(padded(list))).toEqual(ranges);
    expect(nakLengthWithoutPadding(viewOf(padded(list)), 0, 32)).toBe(bytesOf(HEADER + list).length);
  });

  test('a list without them keeps its length, odd bytes too', () => {
    for (const list of ['', '00', '00000005', '00000005 80']) {
      const bytes = bytesOf(HEADER + list);
      expect(nakLengthWithoutPadding(viewOf(bytes), 0, bytes.length)).toBe(bytes.length);
    }
  });
});

test('lists come back as they were written', () => {
  const gap = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), fc.array(fc.tuple(gap, gap), { minLength: 1, maxLength: 100 }), (start, gaps) => {
      let at = start;
      const ranges = gaps.map(([skip, lost]): [number, number] => {
        const first = addSequence(at, skip);
        at = addSequence(first, lost);
        return [first, addSequence(at, -1)];
      });
      const words = ranges.flatMap(([first, last]) => (first === last ? [first] : [first + 2 ** 31, last]));
      const bytes = bytesOf(HEADER + words.map((word) => word.toString(16).padStart(8, '0')).join(''));
      expect(walk(bytes, 11)).toEqual(ranges);
      expect(countLosses(viewOf(bytes), 0, bytes.length)).toBe(gaps.reduce((sum, [, lost]) => sum + lost, 0));
    }),
  );
});

test('whatever the bytes and wherever they are cut: bounded, in order, nothing read outside', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(30), (body, offset) => {
      const bytes = Uint8Array.from([...bytesOf(HEADER), ...body]);
      const whole = walk(bytes, offset);
      expect(whole.length).toBeLessThanOrEqual(body.length >> 2);
      for (const [first, last] of whole) expect(sequenceDistance(first, last)).toBeGreaterThanOrEqual(0);
      expect(countLosses(guarded(bytes, offset), offset, bytes.length)).toBeLessThanOrEqual(NAK_MAX_PACKETS);
      for (let length = 0; length < bytes.length; length++) {
        expect(whole).toEqual(expect.arrayContaining(walk(bytes.subarray(0, length), offset)));
      }
    }),
    { numRuns: 200 },
  );
});
