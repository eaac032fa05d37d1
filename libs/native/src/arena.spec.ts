import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Arena, addressIn } from './arena.ts';

const ARENA_BYTES = 4096;
const WILD = [NaN, Infinity, -Infinity, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_VALUE, ARENA_BYTES + 1];

/** Any number, near the edges more often than not. */
const anyNumber = fc.oneof(
  fc.constantFrom(...WILD, -0, 0, 1, ARENA_BYTES - 1, ARENA_BYTES),
  fc.integer({ min: -10, max: ARENA_BYTES + 10 }),
  fc.double(),
);

describe('Arena', () => {
  test.each(WILD)('refuses %d as an offset and as a length', (wild) => {
    const arena = new Arena(ARENA_BYTES);
    expect(() => addressIn(arena, wild, 0)).toThrow(RangeError);
    expect(() => addressIn(arena, 0, wild)).toThrow(RangeError);
  });

  test('lets through exactly the ranges that lie inside', () => {
    const arena = new Arena(ARENA_BYTES);
    const base = addressIn(arena, 0, 0);
    fc.assert(
      fc.property(anyNumber, anyNumber, (offset, length) => {
        const inside =
          Number.isInteger(offset) &&
          Number.isInteger(length) &&
          offset >= 0 &&
          length >= 0 &&
          offset + length <= ARENA_BYTES;
        if (inside) expect(addressIn(arena, offset, length)).toBe(base + offset);
        else expect(() => addressIn(arena, offset, length)).toThrow(RangeError);
      }),
    );
  });

  test('is allocated, aligned and zeroed, and refuses what it cannot hold', () => {
    const arena = new Arena(64);
    expect([arena.reserve(3), arena.reserve(8), arena.reserve(0), arena.reserve(17)]).toEqual([0, 8, 16, 16]);
    expect(() => arena.reserve(25)).toThrow('cannot reserve 25 bytes: 24 of 64 are free');
    for (const wild of WILD) expect(() => arena.reserve(wild)).toThrow(RangeError);
    expect(arena.reserve(24)).toBe(40);
    for (const wild of [...WILD.slice(0, -1), 7, 2 ** 30 + 1]) expect(() => new Arena(wild)).toThrow(RangeError);
  });

  test('a closed arena refuses every range, also the empty one', () => {
    const arena = new Arena(64);
    arena.close();
    arena.close();
    expect(() => addressIn(arena, 0, 0)).toThrow(RangeError);
    expect(() => arena.reserve(0)).toThrow(RangeError);
  });

  test('its memory cannot be transferred away from under the kernel', () => {
    const { buffer } = new Arena(64).bytes;
    expect(() => structuredClone(buffer, { transfer: [buffer] })).toThrow();
    expect(buffer.byteLength).toBe(64);
  });
});
