import { expect, test } from '@jest/globals';
import { callName } from './demonstration.ts';
import { HELP, parseOptions } from './options.ts';

test('options of npm start', () => {
  expect(parseOptions([])).toEqual({ once: false, help: false, recordings: undefined, tlsCa: undefined });
  expect(parseOptions(['--once', '--recordings', 'there', '--tls-ca', 'ca.pem'])).toEqual({
    once: true,
    help: false,
    recordings: 'there',
    tlsCa: 'ca.pem',
  });
  for (const bad of [['--twice'], ['x'], ['--recordings'], ['--recordings=']]) {
    expect(() => parseOptions(bad)).toThrow();
  }
  for (const option of ['--once', '--recordings', '--tls-ca', '--help']) expect(HELP).toContain(option);
});

test('names of calls are labels, file names, and in order of time', () => {
  expect(callName(new Date('2026-01-02T03:04:05.678Z'))).toBe('call-20260102-030405-678');
});
