import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fits } from './pattern.ts';

describe('a pattern', () => {
  test.each([
    ['live/key', 'live/key', true],
    ['live/key', 'live/keys', false],
    ['live/*', 'live/key', true],
    ['live/*', 'live/', true],
    ['live/*', 'Live/key', false],
    ['*', '', true],
    ['', '', true],
    ['', 'x', false],
    ['*key', 'live/key', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['*a*', 'bab', true],
    ['*a*b*', 'ba', false],
    ['a.c', 'abc', false],
    ['**', 'anything', true],
  ])('%j on %j: %j', (pattern, text, expected) => {
    expect(fits(pattern, text)).toBe(expected);
  });

  test('is what a regular expression would say', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        letters,
        fc.array(fc.constantFrom('a', 'b')).map((parts) => parts.join('')),
        (pattern, text) => {
          const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
          expect(fits(pattern, text)).toBe(expression.test(text));
        },
      ),
    );
  });

  test('of stars alone is no bomb', () => {
    const startedMs = performance.now();
    expect(fits(`${'a*'.repeat(128)}b`, 'a'.repeat(512))).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});
