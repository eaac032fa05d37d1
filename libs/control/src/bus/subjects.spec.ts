import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPattern, isSubject, matches } from './subjects.ts';

describe('subjects', () => {
  test.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.b.c', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['*.*.>', 'a.b', false],
    ['*.*.>', 'a.b.c.d', true],
  ])('%s against %s: %s', (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  test('matches as token by token comparison does', () => {
    const tokens = fc.array(fc.constantFrom('a', 'ab', 'b', '*'), { minLength: 1, maxLength: 4 });
    const property = fc.property(tokens, fc.boolean(), tokens, (wanted, open, given) => {
      const agree = wanted.every((token, index) => token === '*' || token === given[index]);
      const expected = agree && (open ? given.length > wanted.length : given.length === wanted.length);
      expect(matches([...wanted, ...(open ? ['>'] : [])].join('.'), given.join('.'))).toBe(
        expected && given.length >= wanted.length,
      );
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test('what is a subject and what a pattern', () => {
    for (const good of ['a', 'a.b', 'mp.v1.rtp-channel.i.abc.GetChannel']) expect(isSubject(good)).toBe(true);
    for (const bad of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a.*', 'a.>']) expect(isSubject(bad)).toBe(false);
    for (const good of ['*', '>', 'a.*.b', 'a.>']) expect(isPattern(good)).toBe(true);
    for (const bad of ['', 'a.>.b', '>.a', 'a..b', 'a b']) expect(isPattern(bad)).toBe(false);
  });
});
