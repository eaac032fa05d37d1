import { beforeEach, describe, expect, test } from '@jest/globals';
import { withDeadline } from './deadline.ts';
import type { CallScope } from './deadline.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

describe('a call with a deadline', () => {
  let clock: VirtualClock;
  const noted: { scope: CallScope | undefined; overdue: number } = { scope: undefined, overdue: 0 };

  beforeEach(() => {
    clock = new VirtualClock();
    noted.overdue = 0;
  });

  const run = <T>(work: (scope: CallScope) => Promise<T>, callerSignal?: AbortSignal): Promise<T> =>
    withDeadline(clock, { requestId: 'r', deadlineMs: 100, callerSignal, what: 'it' }, (scope) => {
      noted.scope = scope;
      scope.atDeadline(() => noted.overdue++);
      return work(scope);
    });
  const forever = (): Promise<never> => new Promise(() => undefined);

  test('gives what the work gives, and nothing is left of it', async () => {
    expect(await run(async ({ requestId, deadlineMs }) => `${requestId} ${deadlineMs}`)).toBe('r 100');
    await expect(run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const thrower = (): Promise<never> => {
      throw new Error('at once');
    };
    await expect(run(thrower)).rejects.toThrow('at once');
    await clock.advance(200);
    expect(noted).toMatchObject({ overdue: 0, scope: { ended: false } });
  });

  test('ends at its deadline; a signal asked for later is aborted from the start', async () => {
    const early: AbortSignal[] = [];
    const call = run(({ signal }) => {
      early.push(signal);
      return forever();
    });
    const late = run(forever);
    const outcomes = Promise.allSettled([call, late]);
    await clock.advance(100);
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'DEADLINE_EXCEEDED' } });
    expect(early[0].reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(noted.scope?.signal.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(noted.overdue).toBe(2);
  });

  test('ends when its caller cancels; the work is overdue at the deadline all the same', async () => {
    const caller = new AbortController();
    const call = run(forever, caller.signal);
    await clock.advance(50);
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(noted).toMatchObject({ overdue: 0, scope: { ended: true } });
    await clock.advance(50);
    expect(noted.overdue).toBe(1);
    expect(noted.scope?.signal.reason).toMatchObject({ code: 'CANCELLED' });
  });

  test('does not start when its time is up or its caller gone', async () => {
    await expect(run(forever, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
    await clock.advance(100);
    await expect(run(forever)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});
