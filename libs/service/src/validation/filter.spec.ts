import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import fc from 'fast-check';
import { parseFilter } from './filter.ts';

const LABELS = { tenant: 'acme', 'call-id': 'a"b\\c', empty: '' };

const matches = (filter: string): boolean => parseFilter(filter)(LABELS, 'inst1');

describe('filter', () => {
  test.each([
    ['', true],
    ['   ', true],
    ['labels.tenant = "acme"', true],
    ['labels.tenant="acme"', true],
    ['labels.tenant = "other"', false],
    ['labels.tenant != "acme"', false],
    ['labels.tenant != "other"', true],
    ['labels.missing != "x"', true],
    ['labels.missing = ""', false],
    ['labels.empty = ""', true],
    ['labels.empty:*', true],
    ['labels.missing:*', false],
    ['labels."call-id" = "a\\"b\\\\c"', true],
    ['labels."call-id":*', true],
    ['instance_id = "inst1"', true],
    ['instance_id = "inst2"', false],
    ['labels.tenant = "acme" AND instance_id = "inst1"', true],
    ['labels.tenant = "acme" AND labels.missing:*', false],
    // Names that every object has are no labels.
    ['labels.constructor:*', false],
    ['labels.toString != "x"', true],
  ])('%j', (filter, expected) => {
    // `toString` is not of a-z0-9_: quoted.
    expect(matches(filter.replace('labels.toString', 'labels."toString"'))).toBe(expected);
  });

  test.each([
    ['tenant = "acme"', 1],
    ['labels.', 8],
    ['labels.Tenant = "x"', 8],
    ['labels.tenant', 14],
    ['labels.tenant = acme', 17],
    ['labels.tenant = "acme', 22],
    ['labels.tenant = "a\\n"', 21],
    ['labels.tenant = "a" labels.b:*', 21],
    ['labels.tenant = "a" AND', 24],
    ['labels.tenant = "a" OR labels.b:*', 21],
    ['instance_id != "a"', 13],
  ])('%j is refused at character %d', (filter, character) => {
    expect(() => parseFilter(filter)).toThrow(`at character ${character}`);
  });

  test('is bounded', () => {
    const condition = 'labels.a:*';
    expect(() => parseFilter(Array(32).fill(condition).join(' AND '))).not.toThrow();
    expect(() => parseFilter(Array(33).fill(condition).join(' AND '))).toThrow('at most 32 conditions');
    expect(() => parseFilter(' '.repeat(4097))).toThrow('at most 4096 characters');
  });

  test('any text is a filter or INVALID_ARGUMENT', () => {
    const piece = fc.constantFrom('labels.', 'instance_id', '=', '!=', ':*', ' AND ', '"', '\\', 'a', ' ', 'é');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            expect(typeof parseFilter(text)(LABELS, 'inst1')).toBe('boolean');
          } catch (error) {
            expect(error).toBeInstanceOf(ServiceError);
            expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', fieldViolations: [{ field: 'filter' }] });
          }
        },
      ),
    );
  });

  test('any value can be asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (value, key) => {
        const escape = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
        const filter = parseFilter(`labels.${escape(key)} = ${escape(value)}`);
        expect(filter(Object.fromEntries([[key, value]]), '')).toBe(
          Object.hasOwn(Object.fromEntries([[key, value]]), key),
        );
        expect(filter({}, '')).toBe(false);
      }),
    );
  });
});
