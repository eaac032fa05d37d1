import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ReplayWindow } from './replay-window.ts';

const BEGIN = 1.8e12;

describe('ReplayWindow', () => {
  test('takes each number once, in any order within 64 of the highest, and nothing further back', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -70, max: 40 }), fc.integer({ min: 41, max: 200 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (offsets) => {
        const window = new ReplayWindow();
        const taken = new Set<number>();
        let highest = BEGIN;
        window.take(highest);
        taken.add(highest);
        for (const offset of offsets) {
          const counter = highest + offset;
          const isNew = !taken.has(counter) && counter > highest - 64;
          expect(window.take(counter)).toBe(isNew);
          taken.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
    );
  });
});
