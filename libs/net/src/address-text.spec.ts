import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatIp, formatSocketAddress, isUnspecified, parseSocketAddress } from './address-text.ts';
import { SocketAddress } from './socket-address.ts';

const invalidAddress = expect.objectContaining({ code: 'invalid-address' });

describe('parseSocketAddress', () => {
  test('holds IPv4 v4-mapped', () => {
    const address = parseSocketAddress('192.0.2.255', 5004);
    expect(address).toMatchObject({ w0: 0, w1: 0, w2: 0xffff, w3: 0xc00002ff | 0, port: 5004 });
    expect(parseSocketAddress('::ffff:192.0.2.255', 5004).equals(address)).toBe(true);
    expect(parseSocketAddress('::ffff:c000:2ff', 5004).equals(address)).toBe(true);
  });

  test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', ':::', '1::2::3', 'fe80::1%eth0', '::1 '])(
    'refuses %j',
    (text) => {
      expect(() => parseSocketAddress(text, 1)).toThrow(invalidAddress);
    },
  );

  test.each([-1, 65_536, 0.5, NaN])('refuses port %d', (port) => {
    expect(() => parseSocketAddress('::1', port)).toThrow(invalidAddress);
  });

  test('takes exactly what isIP takes, less zones', () => {
    const text = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-f:.]{1,24}$/),
      fc.stringMatching(/^([0-9a-f]{0,4}:){1,7}[0-9a-f]{0,4}$/),
    );
    fc.assert(
      fc.property(text, (ip) => {
        const accepted = isIP(ip) !== 0 && !ip.includes('%');
        if (accepted) parseSocketAddress(ip, 0);
        else expect(() => parseSocketAddress(ip, 0)).toThrow(invalidAddress);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('formatIp', () => {
  test.each([
    ['2001:0db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['::', '::'],
    ['FE80::', 'fe80::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
  ])('%s as %s (RFC 5952)', (text, canonical) => {
    expect(formatIp(parseSocketAddress(text, 0))).toBe(canonical);
  });

  test('any address comes back from its text, whose form Node agrees with', () => {
    const word = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(word, word, word, word, fc.nat(65_535), (w0, w1, w2, w3, port) => {
        const address = new SocketAddress().set(w0, w1, w2, w3, port);
        const text = formatIp(address);
        expect(isIP(text)).toBe(address.isIpv4 ? 4 : 6);
        expect(parseSocketAddress(text, port)).toEqual(address);
      }),
      { numRuns: 1000 },
    );
  });
});

test('formatSocketAddress puts IPv6 in brackets', () => {
  expect(formatSocketAddress(parseSocketAddress('192.0.2.1', 5004))).toBe('192.0.2.1:5004');
  expect(formatSocketAddress(parseSocketAddress('2001:db8::1', 5004))).toBe('[2001:db8::1]:5004');
});

test('isUnspecified', () => {
  expect(['0.0.0.0', '::', '0.0.0.1', '::1', '1::'].map((ip) => isUnspecified(parseSocketAddress(ip, 1)))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
