import { describe, expect, test } from '@jest/globals';
import { parseInterfaces, selectInterface } from './interfaces.ts';

const lan = { name: 'lan', bindAddress: '10.0.0.5', advertisedAddress: '10.0.0.5' };
const wan = { name: 'wan', bindAddress: '0.0.0.0', advertisedAddress: '203.0.113.7', privateAddress: '10.0.0.5' };
const v6 = { name: 'v6', bindAddress: '::', advertisedAddress: '2001:db8::5' };

describe('parseInterfaces', () => {
  test('takes a list, and the bind address for an advertised one that is not given', () => {
    expect(parseInterfaces([{ name: 'lan', bindAddress: '10.0.0.5' }, wan, v6])).toEqual([lan, wan, v6]);
  });

  test.each([
    [undefined, 'interfaces = undefined: must be a list of at least one interface'],
    [[], 'interfaces = []: must be a list of at least one interface'],
    [[7], 'interfaces[0] = 7: must be an object'],
    [[lan, lan], 'interfaces[1].name = "lan": is the name of an earlier interface'],
    [[{ ...lan, name: 'a b' }], 'interfaces[0].name = "a b": must be 1 to 63 letters, digits, "-", "_" or "."'],
    [[{ ...lan, bindAddress: 'eth0' }], 'interfaces[0].bindAddress = "eth0": must be an IP address'],
    [[{ ...lan, bindAddress: 4 }], 'interfaces[0].bindAddress = 4: must be an IP address'],
    [
      [{ name: 'any', bindAddress: '0.0.0.0' }],
      'interfaces[0].advertisedAddress = "0.0.0.0": must be an address that others can send to',
    ],
    [
      [lan, { ...wan, privateAddress: '2001:db8::5' }],
      'interfaces[1].privateAddress = "2001:db8::5": must be of the same IP version as bindAddress',
    ],
    [
      [{ ...lan, address: '10.0.0.5' }],
      'interfaces[0].address = "10.0.0.5": is not a known key: name, bindAddress, advertisedAddress, privateAddress',
    ],
  ])('refuses %j', (value, message) => {
    expect(() => parseInterfaces(value)).toThrow(expect.objectContaining({ code: 'invalid-interfaces', message }));
  });
});

describe('selectInterface', () => {
  test('by name, the first for none', () => {
    expect(selectInterface([lan, wan])).toBe(lan);
    expect(selectInterface([lan, wan], '')).toBe(lan);
    expect(selectInterface([lan, wan], 'wan')).toBe(wan);
  });

  test('names what is configured when it finds none', () => {
    expect(() => selectInterface([lan, wan], 'dmz')).toThrow(
      expect.objectContaining({ code: 'unknown-interface', message: 'no interface "dmz"; configured: lan, wan' }),
    );
  });
});
