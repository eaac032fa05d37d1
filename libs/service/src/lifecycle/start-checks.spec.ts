import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { commonConfig } from '../config/common-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { maxDescriptors, portRangeAdvice, startChecks } from './start-checks.ts';

const config = loadConfig(z.strictObject(commonConfig), {});
const good: Record<string, string> = {
  '/proc/self/limits':
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            1048576              1048576              files\n',
  '/proc/sys/net/core/rmem_max': '4194304\n',
  '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
  '/proc/sys/net/ipv4/ip_local_reserved_ports': '\n',
};
const now = Date.UTC(2026, 10, 21);
const topics = (changed: Record<string, string>, unixMs = now): string[] =>
  startChecks(config, { ports: 2, descriptors: 2 }, (path) => ({ ...good, ...changed })[path], unixMs).map(
    ({ topic }) => topic,
  );

describe('advice about the machine', () => {
  test('none when all is well, and none where the system does not tell', () => {
    expect(topics({})).toEqual([]);
    expect(startChecks(config, { ports: 2, descriptors: 2 }, () => undefined, now)).toEqual([]);
  });

  test('too few descriptors, small buffers, a clock of the past', () => {
    expect(topics({ '/proc/self/limits': 'Max open files   1024  4096 files' })).toEqual(['nofile']);
    expect(topics({ '/proc/sys/net/core/rmem_max': '212992' })).toEqual(['rmem_max']);
    expect(topics({}, 0)).toEqual(['clock']);
  });

  test('an ephemeral range that overlaps ours, unless ours is reserved', () => {
    const overlap = { '/proc/sys/net/ipv4/ip_local_port_range': '16000 60999' };
    expect(topics(overlap)).toEqual(['port-range']);
    const reserved = '/proc/sys/net/ipv4/ip_local_reserved_ports';
    expect(topics({ ...overlap, [reserved]: '8080,10000-29999' })).toEqual([]);
    expect(topics({ ...overlap, [reserved]: '10000-20000' })).toEqual(['port-range']);
  });

  test('of another range of ports', () => {
    const read = (path: string): string | undefined => good[path];
    expect(portRangeAdvice(32_000, 32_767, read)).toEqual([]);
    expect(portRangeAdvice(32_000, 32_768, read)).toMatchObject([{ topic: 'port-range' }]);
    expect(portRangeAdvice(32_000, 32_768, () => undefined)).toEqual([]);
  });

  test('unlimited descriptors', () => {
    expect(maxDescriptors(() => 'Max open files  unlimited  unlimited  files')).toBe(Infinity);
  });
});
