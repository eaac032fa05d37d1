import { describe, expect, test } from '@jest/globals';
import { makeSessionId } from '@mediaplane/control';
import { lastIdOf, pageSize, pageToken } from './pages.ts';

const LAST = makeSessionId('gr', 'one');

describe('pages', () => {
  test('a token leads on from where its page ended', () => {
    expect(lastIdOf(pageToken(LAST, 'a'), 'a')).toBe(LAST);
    expect(lastIdOf('', 'a')).toBe('');
  });

  test.each([pageToken(LAST, 'b'), LAST, 'x', `.${'0'.repeat(8)}`])('%j is no token of this query', (token) => {
    expect(() => lastIdOf(token, 'a')).toThrow(/page_token/);
  });

  test('sizes', () => {
    expect([0, 1, 1000].map(pageSize)).toEqual([100, 1, 1000]);
    expect(() => pageSize(-1)).toThrow(/page_size/);
    expect(() => pageSize(1001)).toThrow(/page_size/);
  });
});
