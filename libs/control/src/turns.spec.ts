import { describe, expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

describe('turns', () => {
  test('work does not interleave, in order of arrival, and starts at once when nothing waits', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const work = (name: string) =>
      turns.run(async () => {
        log.push(`${name} starts`);
        await Promise.resolve();
        await Promise.resolve();
        log.push(`${name} ends`);
        return name;
      });
    const all = [work('a'), work('b')];
    expect(log).toEqual(['a starts']);
    all.push(work('c'));
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  test('a failure is its caller’s, and the next turn comes', async () => {
    const turns = new Turns();
    const failing = turns.run(() => Promise.reject(new Error('no')));
    const next = turns.run(async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
