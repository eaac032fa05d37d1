import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus, ServiceError } from '@mediaplane/control';
import { tempFolder } from '@mediaplane/testkit';
import { pino } from 'pino';
import { FolderPlace } from './folder-place.ts';
import { nodeKey, openStores } from './open-stores.ts';
import { placeConformance } from './place-conformance.ts';
import type { RecordPlace } from './record-store.ts';
import { RecordStore } from './record-store.ts';
import { KvPlace } from './kv-place.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

placeConformance('in a folder', async (stack) => {
  const folder = stack.use(await tempFolder('records'));
  return (node) => new FolderPlace(join(folder.path, node));
});

placeConformance('in a bucket of the bus inside the process', async (stack) => {
  const bus = new EmbeddedBus();
  stack.defer(() => bus.close());
  return (node) => new KvPlace(bus.kv('records', { ttlMs: 0 }), node);
});

describe('a folder', () => {
  test('that was damaged gives what is whole, and says what is not', async () => {
    await using folder = await tempFolder('records');
    const place = new FolderPlace(folder.path);
    for (const key of ['whole', 'cut', 'changed']) await place.write(key, bytes(key));
    await writeFile(join(folder.path, 'cut.record'), 'cut');
    await writeFile(join(folder.path, 'empty.record'), '');
    await writeFile(join(folder.path, 'changed.record'), Buffer.alloc(40, 1));
    await writeFile(join(folder.path, 'large.record'), Buffer.alloc((1 << 20) + 1));
    await writeFile(join(folder.path, 'half.record.new'), 'was being written');
    const lines: string[] = [];
    const store = new RecordStore(place, pino({}, { write: (line: string) => void lines.push(line) }));
    expect([...(await store.load()).keys()]).toEqual(['whole']);
    expect(store.corrupt).toBe(4);
    expect(lines).toHaveLength(1);
  });

  test('is for its owner alone', async () => {
    await using folder = await tempFolder('records');
    const place = new FolderPlace(join(folder.path, 'a/b'));
    await place.write('x', bytes('secret'));
    expect(await readdir(join(folder.path, 'a/b'))).toEqual(['x.record']);
    expect((await stat(join(folder.path, 'a/b'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder.path, 'a/b/x.record'))).mode & 0o777).toBe(0o600);
  });

  test('that cannot be written is tried again, and said once', async () => {
    await using folder = await tempFolder('records');
    let ok = false;
    const inner = new FolderPlace(folder.path);
    const place: RecordPlace = {
      load: (prefix, onCorrupt) => inner.load(prefix, onCorrupt),
      remove: (key) => inner.remove(key),
      takeForeign: () => inner.takeForeign(),
      write: async (key, value) => {
        if (!ok) throw new Error('disk full');
        await inner.write(key, value);
      },
    };
    const lines: string[] = [];
    const store = new RecordStore(place, pino({}, { write: (line: string) => void lines.push(line) }));
    store.put('a', bytes('1'));
    store.put('a', bytes('2'));
    await store.flush();
    await store.flush();
    expect(store.failures).toBeGreaterThan(1);
    expect(lines).toHaveLength(1);
    ok = true;
    await store.flush();
    expect(Buffer.from((await store.load()).get('a') ?? []).toString()).toBe('2');
    await store.stop();
  });
});

test('a bus that does not answer yet is asked again; what cannot be read at all is given up at once', async () => {
  const log = pino({ level: 'silent' });
  let failures = 1;
  let error: Error = ServiceError.unavailable('BUS_AWAY', 'for the test');
  const place: RecordPlace = {
    load: async () => {
      failures -= 1;
      if (failures >= 0) throw error;
      return new Map([['main.x', bytes('1')]]);
    },
    remove: async () => undefined,
    takeForeign: async () => undefined,
    write: async () => undefined,
  };
  expect((await new RecordStore(place, log).load()).size).toBe(1);
  failures = 1;
  error = new Error('no such folder');
  expect((await new RecordStore(place, log).load()).size).toBe(0);
});

test('one that cannot be written does not keep others from being written', async () => {
  const written: string[] = [];
  const place: RecordPlace = {
    load: async () => new Map(),
    write: async (key) => {
      if (key === 'bad') throw new Error('too long');
      written.push(key);
    },
    remove: async () => undefined,
    takeForeign: async () => undefined,
  };
  const store = new RecordStore(place, pino({ level: 'silent' }));
  for (const key of ['bad', 'a', 'b']) store.put(key, bytes('1'));
  while (written.length < 2) await sleep(10);
  expect(written).toEqual(['a', 'b']);
  await store.stop();
});

test('a node has one token for a name', () => {
  expect(nodeKey('node-1.example.net')).toBe('node-1=2eexample=2enet');
  expect(nodeKey('../x')).toBe('=2e=2e=2fx');
});

test('stores of two nodes on one bus do not see each other', async () => {
  const bus = new EmbeddedBus();
  const options = { bus, log: pino({ level: 'silent' }), folder: '', groupTtlMs: 0 };
  const [a, b] = [openStores({ ...options, node: 'a' }), openStores({ ...options, node: 'b' })];
  a.groups.put('x', bytes('1'));
  await a.groups.flush();
  expect([...(await a.groups.load()).keys()]).toEqual(['x']);
  expect((await b.groups.load()).size).toBe(0);
  expect((await a.listeners.load()).size).toBe(0);
  await bus.close();
});
