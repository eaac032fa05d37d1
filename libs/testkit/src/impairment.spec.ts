import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Impairer } from './impairment.ts';

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const impairments = fc.record({ loss: probability, duplicate: probability, reorder: probability });

function pass(impairer: Impairer, count: number): number[] {
  const datagrams = Array.from({ length: count }, (_, index) => Uint8Array.of(index));
  return [...datagrams.flatMap((datagram) => impairer.pass(datagram)), ...impairer.release()].map(([index]) => index);
}

describe('Impairer', () => {
  test('does what it counts, and the same for the same seed', () => {
    fc.assert(
      fc.property(impairments, fc.integer(), (impairment, seed) => {
        const impairer = new Impairer(impairment, seed);
        const out = pass(impairer, 100);
        expect(new Set(out).size).toBe(100 - impairer.lost);
        expect(out.length).toBe(100 - impairer.lost + impairer.duplicated);
        expect(pass(new Impairer(impairment, seed), 100)).toEqual(out);
      }),
    );
  });

  test('without impairment nothing is changed; what is held back goes after the next', () => {
    expect(pass(new Impairer({}, 1), 5)).toEqual([0, 1, 2, 3, 4]);
    expect(pass(new Impairer({ reorder: 1 }, 1), 5)).toEqual([1, 0, 3, 2, 4]);
    expect(pass(new Impairer({ loss: 1 }, 1), 5)).toEqual([]);
    expect(pass(new Impairer({ duplicate: 1 }, 1), 2)).toEqual([0, 0, 1, 1]);
  });
});
