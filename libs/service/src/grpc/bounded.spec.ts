import { expect, test } from '@jest/globals';
import { bounded } from './bounded.ts';

test('a stream keeps its place until it ends, however it ends', async () => {
  const count = bounded('counts', 2, async function* (to: number) {
    if (to < 0) throw new Error('below zero');
    for (let i = 0; i < to; i++) yield i;
  });
  const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_STREAMS', retryAfterMs: 1000 };
  const first = count(9);
  const second = count(9);
  await Promise.all([first.next(), second.next()]);
  await expect(count(1).next()).rejects.toMatchObject(refusal);
  // One that was refused gives no place back.
  await expect(count(1).next()).rejects.toMatchObject(refusal);
  await first.return(undefined);
  await expect(count(-1).next()).rejects.toThrow('below zero');
  const whole: number[] = [];
  for await (const i of count(3)) whole.push(i);
  expect(whole).toEqual([0, 1, 2]);
  const third = count(1);
  await third.next();
  await expect(count(1).next()).rejects.toMatchObject(refusal);
});
