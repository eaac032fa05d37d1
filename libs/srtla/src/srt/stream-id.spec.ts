import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf } from './spec-views.ts';
import { decodeStreamId, encodeStreamId, parseStreamId, redactStreamId } from './stream-id.ts';

describe('the extension', () => {
  // "#!::u=admin,r=x" and one zero: 23213a3a 753d6164 6d696e2c 723d7800, every word reversed.
  const WIRE = '3a3a2123 64613d75 2c6e696d 00783d72';

  test('holds words of reversed bytes, padded with zeros', () => {
    expect(decodeStreamId(bytesOf(WIRE))).toBe('#!::u=admin,r=x');
    expect(encodeStreamId('#!::u=admin,r=x')).toEqual(bytesOf(WIRE));
  });

  test('ends at the first zero, and keeps what is no UTF-8 out', () => {
    expect(decodeStreamId(bytesOf('62006100 64636261'))).toBe('');
    expect(decodeStreamId(bytesOf('62006161 64636261'))).toBe('aa');
    expect(decodeStreamId(bytesOf('6161ff61'))).toBe('a\ufffdaa');
  });

  test('has at most 512 bytes, not characters', () => {
    expect(encodeStreamId('é'.repeat(256))).toHaveLength(512);
    expect(() => encodeStreamId('é'.repeat(257))).toThrow('at most 512 bytes, this one 514');
  });

  test('round trip', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((t) => !t.includes('\0'));
    fc.assert(
      fc.property(text, (id) => {
        fc.pre(new TextEncoder().encode(id).length <= 512);
        expect(encodeStreamId(id).length % 4).toBe(0);
        expect(decodeStreamId(encodeStreamId(id))).toBe(id);
      }),
    );
  });
});

describe('parseStreamId', () => {
  const NONE = { resource: null, user: null, session: null, host: null, mode: null, type: null, other: new Map() };

  test.each([
    ['#!::u=admin,r=bluesbrothers1_hi', { user: 'admin', resource: 'bluesbrothers1_hi' }],
    [
      '#!::u=johnny,t=file,m=publish,r=results.csv',
      { user: 'johnny', type: 'file', mode: 'publish', resource: 'results.csv' },
    ],
    ['#!::h=a.example,s=12==,r=x=y', { host: 'a.example', session: '12==', resource: 'x=y' }],
    ['#!::r=,acme_zone=eu,junk', { resource: '', other: new Map([['acme_zone', 'eu']]) }],
    ['#!::__proto__=1', { other: new Map([['__proto__', '1']]) }],
    ['#!::', {}],
    ['live/camera', { resource: 'live/camera' }],
    ['r=live,m=publish', { resource: 'r=live,m=publish' }],
    ['#!:{r=live}', { resource: '#!:{r=live}' }],
    ['', { resource: '' }],
  ])('%s', (text, fields) => {
    expect(parseStreamId(text)).toEqual({ ...NONE, ...fields });
  });

  test('refuses a key that comes twice', () => {
    expect(parseStreamId('#!::r=mine,r=yours')).toBeNull();
    expect(parseStreamId('#!::r=mine,acme_x=1,acme_x=1')).toBeNull();
  });
});

describe('redactStreamId', () => {
  test.each([
    ['#!::r=live/camera/9f8e7d6c,m=publish', '#!::r=live…(20),m=publish'],
    ['#!::u=johnny,s=1234567,t=file', '#!::u=j…(6),s=1…(7),t=file'],
    ['#!::m=publish_9f8e7d6c5b4a,h=x', '#!::m=publ…(20),h=…(1)'],
    ['#!::t=publish', '#!::t=p…(7)'],
    ['#!::c2VjcmV0c2VjcmV0==,r=', '#!::c2Vj…(18),…(2)'],
    ['#!::a-key-of-theirs=9f8e7d6c', '#!::a-ke…(24)'],
    ['live_9f8e7d6c5b4a', 'live…(17)'],
    ['abc', '…(3)'],
    ['', '…(0)'],
    ['a\n\u001b[31mlog line', 'a??…(15)'],
    [`#!::${'r=1,'.repeat(19)}r=1`, `#!::${'r=…(1),'.repeat(16)}…(+4)`],
  ])('%j', (text, redacted) => {
    expect(redactStreamId(text)).toBe(redacted);
  });

  test('shows of a secret its first quarter at most, four characters at most, wherever it stands', () => {
    const secret = fc.stringMatching(/^[0-9a-f]{5,40}$/);
    const place = fc.constantFrom(
      '',
      '#!::',
      '#!::r=',
      '#!::m=',
      '#!::u=x,s=',
      '#!::r=live,acme_key=',
      '#!::=',
      '#!:{r=',
    );
    fc.assert(
      fc.property(place, secret, (before, key) => {
        const redacted = redactStreamId(before + key);
        expect(redacted).not.toContain(key.slice(0, 5));
        expect(redacted).toMatch(/^[\x20-\x7e…]*$/);
      }),
    );
  });

  test('any text becomes one short printable line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, keyed) => {
        const redacted = redactStreamId((keyed ? '#!::' : '') + text);
        expect(redacted).toMatch(/^[\x20-\x7e…]*$/);
        expect(redacted.length).toBeLessThan(500);
      }),
    );
  });
});
