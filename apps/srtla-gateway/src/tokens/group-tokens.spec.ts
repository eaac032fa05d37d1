import { describe, expect, test } from '@jest/globals';
import { GROUP_ID_BYTES, SENDER_HALF_BYTES } from '@mediaplane/srtla';
import fc from 'fast-check';
import { GroupTokens } from './group-tokens.ts';
import type { GroupTokensOptions, TokenKey } from './group-tokens.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21);
const key = (id: number): TokenKey => ({ id, secret: new Uint8Array(32).fill(id + 1) });
const tokens = (options: Partial<GroupTokensOptions> = {}): GroupTokens =>
  new GroupTokens({ current: key(1), instanceId: 'abc123', maxAgeMs: 24 * HOUR_MS, ...options });

function issued(by = tokens(), sender = 7): Uint8Array {
  const id = new Uint8Array(GROUP_ID_BYTES).fill(sender);
  by.issue(id, NOW);
  return id;
}

describe('GroupTokens', () => {
  test('says who issued an id and when, to whoever has the key, and leaves the sender’s half alone', () => {
    const id = issued();
    expect(tokens({ instanceId: 'other' }).open(id, NOW + HOUR_MS)).toEqual({
      instanceId: 'abc123',
      issuedUnixMs: NOW,
    });
    expect([...id.subarray(0, SENDER_HALF_BYTES)].every((byte) => byte === 7)).toBe(true);
  });

  test('two ids of one sender have nothing in common but the header', () => {
    const [a, b] = [issued(), issued()].map((id) => [...id.subarray(SENDER_HALF_BYTES + 2)]);
    expect(a.filter((byte, i) => byte === b[i]).length).toBeLessThan(16);
  });

  test('one changed bit, in either half, makes it nobody’s', () => {
    fc.assert(
      fc.property(fc.nat(GROUP_ID_BYTES * 8 - 1), (bit) => {
        const id = issued();
        id[bit >> 3] ^= 1 << (bit & 7);
        expect(tokens().open(id, NOW)).toBeNull();
      }),
    );
  });

  test('whatever strangers send is nobody’s', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: GROUP_ID_BYTES, maxLength: GROUP_ID_BYTES }), (id) => {
        id[SENDER_HALF_BYTES] = 1;
        id[SENDER_HALF_BYTES + 1] = 1;
        expect(tokens().open(id, NOW)).toBeNull();
      }),
    );
  });

  test('another sender cannot use it', () => {
    const id = issued();
    id.fill(8, 0, SENDER_HALF_BYTES);
    expect(tokens().open(id, NOW)).toBeNull();
  });

  test('the previous key is accepted, one before that is not', () => {
    const id = issued();
    expect(tokens({ current: key(2), previous: key(1) }).open(id, NOW)).not.toBeNull();
    expect(tokens({ current: key(3), previous: key(2) }).open(id, NOW)).toBeNull();
    expect(tokens({ current: { id: 1, secret: key(9).secret } }).open(id, NOW)).toBeNull();
  });

  test('keys change while ids are about: those of the key before stay good, those of the one before that do not', () => {
    const running = tokens();
    const id = issued(running);
    running.setKeys(key(2), key(1));
    const younger = issued(running);
    expect([running.open(id, NOW), running.open(younger, NOW)]).not.toContain(null);
    running.setKeys(key(3), key(2));
    expect(running.open(id, NOW)).toBeNull();
    expect(running.open(younger, NOW)).not.toBeNull();
    running.setKeys(key(3), null);
    expect(running.open(younger, NOW)).toBeNull();
  });

  test('keys that are none change nothing', () => {
    const running = tokens();
    const id = issued(running);
    expect(() => running.setKeys(key(2), key(2))).toThrow(RangeError);
    expect(() => running.setKeys(key(2), { id: 1, secret: new Uint8Array(16) })).toThrow(RangeError);
    expect(running.open(id, NOW)).not.toBeNull();
  });

  test('it ends with its time, and one from the future is none', () => {
    const id = issued();
    expect(tokens().open(id, NOW + 24 * HOUR_MS)).not.toBeNull();
    expect(tokens().open(id, NOW + 24 * HOUR_MS + 1)).toBeNull();
    expect(tokens().open(id, NOW - 60_001)).toBeNull();
  });

  test.each([
    [{ current: { id: 1, secret: new Uint8Array(31) } }],
    [{ current: { id: 256, secret: new Uint8Array(32) } }],
    [{ instanceId: 'x'.repeat(91) }],
  ])('%p is refused', (options) => {
    expect(() => tokens(options)).toThrow(RangeError);
  });
});
