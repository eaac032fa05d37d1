import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bencoded } from './bencode.ts';
import { BencodeError, decodeBencode, encodeBencode } from './bencode.ts';

const text = fc.string({ unit: 'grapheme' });
const { value } = fc.letrec<{ value: Bencoded }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.maxSafeInteger().filter((n) => Math.abs(n) < 1e15),
    text,
    fc.array(tie('value')),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
}));

describe('bencode', () => {
  test.each<[Bencoded, string]>([
    [-42, 'i-42e'],
    ['spam', '4:spam'],
    [['spam', 7], 'l4:spami7ee'],
    [{ spam: 'eggs', cow: 'moo' }, 'd3:cow3:moo4:spam4:eggse'],
  ])('%j is %s (BEP 3)', (decoded, encoded) => {
    expect(encodeBencode(decoded).toString()).toBe(encoded);
    expect(decodeBencode(Buffer.from(encoded))).toEqual(decoded);
  });

  test('lengths are bytes, not characters', () => {
    expect(encodeBencode('é').toString()).toBe('2:é');
  });

  test.each([
    '',
    'i',
    'ie',
    'i-0e',
    'i01e',
    'i1.5e',
    '5:abc',
    'x',
    'l',
    'd1:a',
    'di1e1:ae',
    'i1ei2e',
    '-1:',
    'l'.repeat(100_000),
  ])('refuses %.20j', (encoded) => {
    expect(() => decodeBencode(Buffer.from(encoded))).toThrow(BencodeError);
  });

  test('numbers that the wire cannot carry exactly are refused', () => {
    expect(() => encodeBencode(1.5)).toThrow(BencodeError);
  });

  test('what is encoded decodes to itself', () => {
    fc.assert(fc.property(value, (any) => expect(decodeBencode(encodeBencode(any))).toEqual(any)));
  });

  test('random bytes give a value or a BencodeError', () => {
    const digitsAndLetters = fc.constantFrom(...Buffer.from('idle0123456789:-'));
    fc.assert(
      fc.property(fc.array(fc.oneof(digitsAndLetters, fc.nat(255)), { maxLength: 64 }), (bytes) => {
        try {
          decodeBencode(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(BencodeError);
        }
      }),
    );
  });
});
