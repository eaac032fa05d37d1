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
