import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '@mediaplane/service';
import { z } from 'zod';
import { checkConfig } from './check-config.ts';
import { srtlaGatewayConfig } from './config.ts';

/** What is wrong with a configuration of these values; '' when nothing is. */
function problemOf(values: Record<string, unknown>): string {
  try {
    loadConfig(z.strictObject(srtlaGatewayConfig), { values }, checkConfig);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('rules over several keys', () => {
  test.each([
    [{ upstream: { portMin: 20_000, portMax: 19_999 } }, /upstream\.portMax.*20000/],
    [{ tokens: { previousKeyFile: 'old' } }, /tokens\.keyFile/],
    [{ relay: { previousKeyFile: 'old' } }, /relay\.keyFile/],
    [{ relay: { port: 31_999 } }, /relay\.port.*30000 to 31999/],
    [{ relay: { port: 29_937 } }, /relay\.port.*30000 to 31999/],
    [{ statistics: { readKey: 'a', readKeyFile: 'b' } }, /statistics\.readKeyFile/],
  ])('%j is refused with the key', (values, problem) => expect(problemOf(values)).toMatch(problem));

  test('the defaults, and ports beside the range, are taken', () => {
    expect(problemOf({})).toBe('');
    for (const port of [29_936, 32_000]) expect(problemOf({ relay: { port } })).toBe('');
  });
});
