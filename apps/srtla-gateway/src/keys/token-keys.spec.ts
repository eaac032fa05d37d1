import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import type { KvOptions } from '@mediaplane/control';
import { tempFolder } from '@mediaplane/testkit';
import { pino } from 'pino';
import { readTokenKeys, watchTokenKeys } from './token-keys.ts';
import type { KeySource, TokenKeys } from './token-keys.ts';

const log = pino({ level: 'silent' });
const HEX = 'ab'.repeat(32);
const OTHER = Buffer.alloc(32, 9);

function source(
  folder: string,
  files: Partial<KeySource['tokens']> = {},
  bus: KeySource['bus'] = new EmbeddedBus(),
): KeySource {
  const tokens = { keyFile: '', previousKeyFile: '', maxAgeMs: 1000, refreshMs: 5, ...files };
  return { tokens, stateFolder: folder, bus, log };
}

describe('token keys', () => {
  test('from files, in hexadecimal or base64; all instances give a key the same number', async () => {
    await using folder = await tempFolder('keys');
    const [keyFile, previousKeyFile] = [join(folder.path, 'key'), join(folder.path, 'previous')];
    await writeFile(keyFile, `${HEX}\n`);
    await writeFile(previousKeyFile, OTHER.toString('base64'));
    const keys = await readTokenKeys(source('', { keyFile, previousKeyFile }));
    expect(Buffer.from(keys.current.secret).toString('hex')).toBe(HEX);
    expect(Buffer.from(keys.previous?.secret ?? []).equals(OTHER)).toBe(true);
    expect((await readTokenKeys(source('', { keyFile: previousKeyFile }))).current.id).toBe(keys.previous?.id);
    await expect(readTokenKeys(source('', { keyFile: join(folder.path, 'none') }))).rejects.toThrow(/tokens.keyFile/);
    await writeFile(keyFile, 'short');
    await expect(readTokenKeys(source('', { keyFile }))).rejects.toThrow(/32 bytes/);
  });

  test('one is made and kept, in the state folder where the bus ends with the process', async () => {
    await using folder = await tempFolder('keys');
    const first = await readTokenKeys(source(folder.path));
    const second = await readTokenKeys(source(folder.path));
    expect(second.current).toEqual(first.current);
    expect(await readFile(join(folder.path, 'token.key'))).toHaveLength(32);
    await writeFile(join(folder.path, 'token.key'), 'damaged');
    expect((await readTokenKeys(source(folder.path))).current.secret).not.toEqual(first.current.secret);
  });

  test('on NATS whoever is first makes it for the fleet', async () => {
    const bus = new EmbeddedBus();
    const nats = { system: 'nats', kv: (name: string, options: KvOptions) => bus.kv(name, options) } as const;
    const [a, b] = await Promise.all([readTokenKeys(source('', {}, nats)), readTokenKeys(source('', {}, nats))]);
    expect(a.current).toEqual(b.current);
  });

  test('files that change are read again; one that cannot be read changes nothing', async () => {
    await using folder = await tempFolder('keys');
    const [keyFile, previousKeyFile] = [join(folder.path, 'key'), join(folder.path, 'previous')];
    await writeFile(keyFile, HEX);
    await writeFile(previousKeyFile, HEX);
    const from = source('', { keyFile, previousKeyFile });
    const first = await readTokenKeys(from);
    expect(first.previous).toBeUndefined();
    const changed = Promise.withResolvers<TokenKeys>();
    using stack = new DisposableStack();
    stack.use(watchTokenKeys(from, first, (keys) => changed.resolve(keys)));
    await writeFile(keyFile, 'being written');
    await writeFile(keyFile, OTHER.toString('hex'));
    const { current, previous } = await changed.promise;
    expect(Buffer.from(current.secret).equals(OTHER)).toBe(true);
    expect(previous).toEqual(first.current);
  });
});
