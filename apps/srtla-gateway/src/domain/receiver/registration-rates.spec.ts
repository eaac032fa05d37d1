import { describe, expect, test } from '@jest/globals';
import { parseSocketAddress } from '@mediaplane/net';
import { RegistrationLimiter } from './registration-rates.ts';
import type { RegistrationRates } from './registration-rates.ts';

const SECOND = 1e6;
const FREELY = { perSecond: 1e6, burst: 1e6 };

function admitted(limiter: RegistrationLimiter, ip: string, attempts: number, nowUs: number): number {
  const from = parseSocketAddress(ip, 5000);
  return Array.from({ length: attempts }, () => limiter.admit(from, nowUs)).filter(Boolean).length;
}
const limiterOf = (rates: Partial<RegistrationRates>): RegistrationLimiter =>
  new RegistrationLimiter({ source: FREELY, network: FREELY, listener: FREELY, ...rates }, 7);

describe('RegistrationLimiter', () => {
  test('a source has its burst at once, then its rate, and never more than its burst', () => {
    const limiter = limiterOf({ source: { perSecond: 2, burst: 5 } });
    expect(admitted(limiter, '192.0.2.1', 9, 100 * SECOND)).toBe(5);
    expect(admitted(limiter, '192.0.2.1', 9, 101.6 * SECOND)).toBe(3);
    expect(admitted(limiter, '192.0.2.1', 9, 1000 * SECOND)).toBe(5);
    expect(admitted(limiter, '192.0.2.2', 9, 1000 * SECOND)).toBe(5);
  });

  test.each([
    ['192.0.2.1', '192.0.2.200', '192.0.3.1'],
    ['2001:db8:0:aa00::1', '2001:db8:0:aaff:1::9', '2001:db8:0:ab00::1'],
  ])('%s shares a network with %s, and not with %s', (one, sibling, stranger) => {
    const limiter = limiterOf({ network: { perSecond: 1, burst: 4 } });
    expect(admitted(limiter, one, 3, SECOND)).toBe(3);
    expect(admitted(limiter, sibling, 3, SECOND)).toBe(1);
    expect(admitted(limiter, stranger, 9, SECOND)).toBe(4);
  });

  test('the listener as a whole has a rate', () => {
    const limiter = limiterOf({ listener: { perSecond: 10, burst: 20 } });
    const total = Array.from({ length: 50 }, (_, i) => admitted(limiter, `192.0.${i}.1`, 1, SECOND));
    expect(total.filter((count) => count === 1).length).toBe(20);
  });

  test('what is refused costs nothing: who is over its own rate does not use up that of its network', () => {
    const limiter = limiterOf({ source: { perSecond: 1, burst: 1 }, network: { perSecond: 1, burst: 2 } });
    expect(admitted(limiter, '192.0.2.1', 100, SECOND)).toBe(1);
    expect(admitted(limiter, '192.0.2.2', 100, SECOND)).toBe(1);
  });

  test('a flood from two thousand sources does not take the rate of most others', () => {
    const limiter = limiterOf({ source: { perSecond: 1, burst: 2 } });
    for (let i = 0; i < 2000; i += 1) admitted(limiter, `10.${i >> 8}.${i & 255}.1`, 10, SECOND);
    const others = Array.from({ length: 1000 }, (_, i) => admitted(limiter, `172.${i >> 8}.${i & 255}.1`, 2, SECOND));
    expect(others.filter((count) => count < 2).length).toBeLessThan(300);
  });
});
