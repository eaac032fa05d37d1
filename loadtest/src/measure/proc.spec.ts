import { describe, expect, test } from '@jest/globals';
import { parseSockstatUdpBytes, parseStatCpuSeconds, parseStatusBytes } from './proc.ts';

const STAT = '4242 (node (main) x) S 1 4242 4242 0 -1 4194560 9000 0 3 0 1234 66 7 8 20 0 11 0 99 1 2 3';

describe('/proc/<pid>/stat', () => {
  test('user and system time, though the name holds spaces and parentheses', () => {
    expect(parseStatCpuSeconds(STAT)).toBe(13);
  });

  test('anything else is refused', () => {
    expect(() => parseStatCpuSeconds('')).toThrow('not /proc');
    expect(() => parseStatCpuSeconds('1 (x) S 1')).toThrow('not /proc');
  });
});

describe('/proc/<pid>/status', () => {
  test('kB become bytes', () => {
    expect(parseStatusBytes('Name:\tnode\nVmHWM:\t  999 kB\nVmRSS:\t   120 kB\n', 'VmRSS')).toBe(122_880);
  });

  test('a missing key is named', () => {
    expect(() => parseStatusBytes('Name:\tnode\n', 'VmRSS')).toThrow('VmRSS');
  });
});

describe('/proc/net/sockstat', () => {
  test('pages become bytes, and TCP is left alone', () => {
    expect(parseSockstatUdpBytes('TCP: inuse 1 mem 121\nUDP: inuse 2 mem 3\nUDPLITE: inuse 0\n')).toBe(12_288);
  });

  test('no UDP line', () => {
    expect(() => parseSockstatUdpBytes('TCP: inuse 1 mem 121\n')).toThrow('UDP');
  });
});
