import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { searchCapacity } from './capacity-search.ts';

async function search(start: number, limit: number): Promise<{ found: number; questions: number }> {
  let questions = 0;
  const found = await searchCapacity(start, async (channels) => {
    questions += 1;
    return channels <= limit;
  });
  return { found, questions };
}

describe('searchCapacity', () => {
  test('is within 5 % below the limit, from any start, in few questions', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 10, max: 9999 }),
        async (start, limit) => {
          const { found, questions } = await search(start, limit);
          expect(found).toBeLessThanOrEqual(limit);
          expect(found).toBeGreaterThanOrEqual(Math.floor(limit / 1.05) - 1);
          expect(questions).toBeLessThanOrEqual(25);
        },
      ),
    ));

  test('nothing holds', async () => {
    expect(await search(1000, 0)).toMatchObject({ found: 0 });
  });

  test('everything holds', async () => {
    expect(await search(1000, 1e6)).toMatchObject({ found: 10_000 });
  });
});
