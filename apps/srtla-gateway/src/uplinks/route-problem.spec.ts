import { describe, expect, test } from '@jest/globals';
import { gatewayOf, routeFinding } from './route-problem.ts';
import { interfacesOf } from './spec-parts.ts';

const INTERFACES = interfacesOf({ lo: ['127.0.0.1'], eth0: ['192.0.2.10'], wwan0: ['10.64.1.2', '2001:db8::2'] });
const QUESTION = { source: '10.64.1.2', receiver: '203.0.113.5', number: 1, interfaces: INTERFACES };

describe('what policy routing does to a link', () => {
  test('names the device it should leave by, and what would mend it', () => {
    expect(routeFinding(QUESTION, 'eth0', '10.64.1.1')).toBe(
      '10.64.1.2 is an address of wwan0, but what it sends to 203.0.113.5 leaves by eth0; to mend it: ' +
        'ip rule add from 10.64.1.2 table 101 && ip route add default via 10.64.1.1 dev wwan0 table 101',
    );
  });

  test('says so when there is no route, for IPv6 with its own command', () => {
    const question = { ...QUESTION, source: '2001:db8::2', receiver: '2001:db8:1::5', number: 0 };
    expect(routeFinding(question, null, undefined)).toBe(
      'there is no route from 2001:db8::2 to 2001:db8:1::5; to mend it: ' +
        'ip -6 rule add from 2001:db8::2 table 100 && ip -6 route add default via <gateway of wwan0> dev wwan0 table 100',
    );
  });

  test.each([
    ['it leaves by its own device', QUESTION, 'wwan0'],
    ['the receiver is on this machine', QUESTION, 'lo'],
    ['the source is a loopback address', { ...QUESTION, source: '127.0.0.1' }, 'eth0'],
    ['nobody is known to have the source', { ...QUESTION, source: '10.9.9.9' }, 'eth0'],
  ])('says nothing when %s', (_, question, leavesBy) => {
    expect(routeFinding(question, leavesBy, undefined)).toBe('');
  });

  test('gateways are read from /proc/net/route', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'wwan0\t0001400A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      'wwan0\t00000000\t0101400A\t0003\t0\t0\t700\t00000000\t0\t0\t0',
    ].join('\n');
    expect(gatewayOf('eth0', table)).toBe('192.0.2.1');
    expect(gatewayOf('wwan0', table)).toBe('10.64.1.1');
    expect(gatewayOf('tun0', table)).toBeUndefined();
  });
});
