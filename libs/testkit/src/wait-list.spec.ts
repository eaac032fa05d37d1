import { describe, expect, test } from '@jest/globals';
import { WaitList, WaitTimeoutError } from './wait-list.ts';

describe('WaitList', () => {
  test('resolves at once, or at the change that makes it true', async () => {
    let value: number | null = 1;
    const waits = new WaitList(() => `value ${value}`);
    expect(await waits.until(() => value)).toBe(1);
    value = null;
    const later = waits.until(() => value);
    waits.changed();
    value = 2;
    waits.changed();
    expect(await later).toBe(2);
  });

  test('0 and the empty string are values', async () => {
    const waits = new WaitList(() => '');
    expect(await waits.until(() => 0)).toBe(0);
    expect(await waits.until(() => '')).toBe('');
  });

  test('fails in time with what there was instead, and when there is nothing left to wait for', async () => {
    const waits = new WaitList(() => 'nobody came');
    const failure = waits.until(() => false, { timeoutMs: 1, what: 'a guest' });
    await expect(failure).rejects.toThrow(new WaitTimeoutError('a guest: not within 1 ms; nobody came'));
    const abandoned = waits.until(() => false);
    waits.abandon('closed');
    await expect(abandoned).rejects.toThrow('closed; nobody came');
  });

  test('a look that throws fails the wait, not whoever reports a change', async () => {
    let isBroken = false;
    const waits = new WaitList(() => '');
    const look = (): boolean => {
      if (isBroken) throw new Error('broken');
      return false;
    };
    const waiting = waits.until(look);
    isBroken = true;
    const outcome = expect(waiting).rejects.toThrow('broken');
    waits.changed();
    await outcome;
    await expect(waits.until(look)).rejects.toThrow('broken');
  });
});
