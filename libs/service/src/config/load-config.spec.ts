import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { checkCommonConfig, commonConfig } from './common-config.ts';
import { integer, section } from './keys.ts';
import { loadConfig } from './load-config.ts';
import type { ConfigSources } from './load-config.ts';
import { configKeys, configTable } from './schema-walk.ts';

const schema = z.strictObject({ ...commonConfig, toy: section({ sizeBytes: integer(1, 10, 4, 'Size of the toy.') }) });
const load = (sources: ConfigSources) => loadConfig(schema, sources, checkCommonConfig);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mediaplane-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const yaml = (content: string): string => {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, content);
  return file;
};

describe('sources', () => {
  test('every key has a default', () => {
    const config = load({});
    expect(config.net.rtpPortMin).toBe(10_000);
    expect(config.net.interfaces).toEqual([
      { name: 'default', bindAddress: '127.0.0.1', advertisedAddress: '', privateAddress: '' },
    ]);
    expect(config.toy.sizeBytes).toBe(4);
  });

  test('code wins over the environment, the environment over the file, the file over defaults', () => {
    const file = yaml('grpc: { port: 1, maxMessageBytes: 5000 }\nadmin: { port: 2 }\ntoy: { sizeBytes: 5 }\n');
    const env = { MEDIAPLANE_CONFIG: file, MEDIAPLANE_GRPC_PORT: '3', MEDIAPLANE_ADMIN_PORT: '4' };
    const config = load({ env, values: { admin: { port: 6 } } });
    expect([config.grpc.port, config.admin.port, config.grpc.maxMessageBytes, config.toy.sizeBytes]).toEqual([
      3, 6, 5000, 5,
    ]);
  });

  test('the environment can hold lists, flags and the short name of an implementation', () => {
    const config = load({
      env: {
        MEDIAPLANE_NET: 'dgram',
        MEDIAPLANE_GRPC_REFLECTION: 'false',
        MEDIAPLANE_NET_INTERFACES: '[{ name: a, bindAddress: 10.0.0.1 }, { name: b, bindAddress: "::1" }]',
      },
    });
    expect(config.net.implementation).toBe('dgram');
    expect(config.grpc.reflection).toBe(false);
    expect(config.net.interfaces.map((entry) => entry.bindAddress)).toEqual(['10.0.0.1', '::1']);
  });
});

describe('a bad configuration is one line with the key, the value, its origin and what is allowed', () => {
  const line = (sources: ConfigSources): string => {
    try {
      load(sources);
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    return 'accepted';
  };

  test.each<[string, ConfigSources, string]>([
    [
      'out of range',
      { env: { MEDIAPLANE_GRPC_PORT: '99999' } },
      'configuration: grpc.port = 99999 (from MEDIAPLANE_GRPC_PORT): must be 0 to 65535',
    ],
    [
      'not a number',
      { env: { MEDIAPLANE_DRAIN_GRACE_MS: 'soon' } },
      'configuration: drainGraceMs = "soon" (from MEDIAPLANE_DRAIN_GRACE_MS): must be 0 to 86400000',
    ],
    [
      'no such choice',
      { env: { MEDIAPLANE_LOG_LEVEL: 'loud' } },
      'configuration: log.level = "loud" (from MEDIAPLANE_LOG_LEVEL): must be trace, debug, info, warn, error, fatal, silent',
    ],
    [
      'inside a list',
      { values: { net: { interfaces: [{ bindAddress: 'localhost' }] } } },
      'configuration: net.interfaces.0.bindAddress = "localhost": must be an IP address',
    ],
    [
      'against another key',
      { values: { net: { rtpPortMin: 20_000, rtpPortMax: 10_000 } } },
      'configuration: net.rtpPortMax = 10000 (from code): must be above net.rtpPortMin, 20000',
    ],
    [
      'a secret',
      { values: { bus: { password: 'hunter2' } } },
      'configuration: bus.user = "": must be set with the other of user, password',
    ],
    [
      'a secret itself',
      { values: { bus: { token: 7 } } },
      'configuration: bus.token = (hidden) (from code): must be text',
    ],
    [
      'unknown key',
      { values: { admin: { prot: 1 } } },
      'configuration: admin.prot (from code): there is no such key; known are bindAddress, port',
    ],
  ])('%s', (_name, sources, expected) => {
    expect(line(sources)).toBe(expected);
  });

  test('a file that is missing or not YAML', () => {
    expect(line({ file: join(folder, 'none.yaml') })).toMatch(/^configuration file .*none\.yaml: [^\n]*ENOENT[^\n]*$/);
    expect(line({ file: yaml('a: [1,\n') })).toMatch(/^configuration file .*config\.yaml: [^\n]+$/);
    expect(line({ file: yaml('- 1\n') })).toMatch(/must be a mapping of keys$/);
  });
});

test('the table shows every key once, and no secret', () => {
  const table = configTable(schema);
  for (const key of configKeys(schema)) expect(table.split(`\`${key.path}\``)).toHaveLength(2);
  expect(table).toContain('| `toy.sizeBytes` | `MEDIAPLANE_TOY_SIZE_BYTES` | `4` | 1 to 10 | Size of the toy. |');
});
