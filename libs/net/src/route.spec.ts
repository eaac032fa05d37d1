import { expect, test } from '@jest/globals';
import { routeOf } from './route.ts';

test('this host reaches itself by its loopback device', () => {
  for (const ip of ['127.0.0.1', '::1']) {
    expect(routeOf(ip, ip, 'native')).toEqual({ device: 'lo', gateway: null, refusal: null });
    expect(routeOf(ip, ip, 'dgram')).toBeUndefined();
  }
});

test('from an IPv4 address that is not ours there is no route', () => {
  expect(routeOf('192.0.2.77', '127.0.0.1', 'native')).toMatchObject({ device: null, refusal: expect.any(String) });
});

test('what is no address, or of two IP versions, is refused', () => {
  expect(() => routeOf('modem', '127.0.0.1', 'native')).toThrow(expect.objectContaining({ code: 'invalid-address' }));
  expect(() => routeOf('::1', '127.0.0.1', 'dgram')).toThrow(
    expect.objectContaining({ code: 'address-family-not-supported' }),
  );
});
