import { expect, test } from '@jest/globals';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { EmbeddedKv } from './embedded-kv.ts';

const NOTHING = new Uint8Array(0);

test('an entry is gone when its time is up, wherever one looks, and whenever others were dropped', async () => {
  const clock = new VirtualClock();
  const kv = new EmbeddedKv({ ttlMs: 1_500 }, clock);
  for (let i = 0; i < 4; i++) {
    await kv.put(`k.${i}`, NOTHING);
    await clock.advance(400);
  }
  // k.0 is 1.6 s old, k.1 1.2 s.
  expect(await kv.get('k.0')).toBeUndefined();
  await expect(kv.update('k.0', NOTHING, 1)).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(kv.create('k.1', NOTHING)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(await kv.create('k.0', NOTHING)).toBe(5);
  expect(await kv.keys()).toEqual(['k.1', 'k.2', 'k.3', 'k.0']);
  await clock.advance(1_200);
  expect(await kv.size()).toBe(1);
});

test('a value comes back byte by byte, and is the reader\u2019s own', async () => {
  const kv = new EmbeddedKv({ ttlMs: 0 }, new VirtualClock());
  const all = Uint8Array.from({ length: 512 }, (_, i) => i);
  const given = all.slice();
  // A view of a part of something larger.
  await kv.put('k', given.subarray(100, 400));
  given.fill(0);
  const read = async (): Promise<Uint8Array> => (await kv.entries())[0].value;
  (await read()).fill(0);
  expect([...(await read())]).toEqual([...all.subarray(100, 400)]);
  await kv.put('k', NOTHING);
  expect(await read()).toHaveLength(0);
});
