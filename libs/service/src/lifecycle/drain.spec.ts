import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { Drain } from './drain.ts';
import type { DrainState } from './drain.ts';

const silent = pino({ level: 'silent' });
let sessions = 0;
let closed = 0;
let states: DrainState[] = [];
let drain: Drain;

beforeEach(() => {
  jest.useFakeTimers();
  [sessions, closed, states] = [3, 0, []];
  drain = new Drain({
    sessions: () => sessions,
    closeAll: async () => {
      closed += sessions;
      sessions = 0;
    },
    onState: (state) => states.push(state),
    log: silent,
  });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('drain', () => {
  test('lets sessions go on, then closes those that are left', async () => {
    drain.drain(10_000, 'test');
    expect(states).toEqual(['draining']);
    await jest.advanceTimersByTimeAsync(9_900);
    expect([closed, drain.remainingMs()]).toEqual([0, 100]);
    sessions = 1;
    await jest.advanceTimersByTimeAsync(200);
    expect([closed, drain.state]).toEqual([1, 'draining']);
  });

  test('a second one moves the deadline; undrain takes it back', async () => {
    drain.drain(1_000, 'first');
    drain.drain(60_000, 'second');
    await jest.advanceTimersByTimeAsync(30_000);
    expect(drain.status()).toMatchObject({ reason: 'second', deadlineUnixMs: Date.now() + 30_000 });
    drain.undrain();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([closed, drain.status(), states.at(-1)]).toEqual([0, undefined, 'serving']);
  });
});

describe('stop', () => {
  test('resolves when the last session has ended by itself', async () => {
    let stopped = false;
    const done = drain.stop(60_000, 'SIGTERM').then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(stopped).toBe(false);
    sessions = 0;
    await jest.advanceTimersByTimeAsync(200);
    await done;
    expect(closed).toBe(0);
  });

  test('a second one with no grace closes at once', async () => {
    const done = drain.stop(60_000, 'SIGTERM');
    void drain.stop(0, 'second signal');
    await jest.advanceTimersByTimeAsync(0);
    await done;
    expect(closed).toBe(3);
  });

  test('a second one with a longer grace changes nothing', async () => {
    const done = drain.stop(1_000, 'SIGTERM');
    void drain.stop(60_000, 'second signal');
    expect(drain.status()?.reason).toBe('SIGTERM');
    await jest.advanceTimersByTimeAsync(1_100);
    await done;
    expect(closed).toBe(3);
  });

  test('is at once without sessions, and cannot be undone', async () => {
    sessions = 0;
    await drain.stop(60_000, 'SIGTERM');
    const stopping = expect.objectContaining({ code: 'FAILED_PRECONDITION', reason: 'INSTANCE_STOPPING' });
    expect(() => drain.undrain()).toThrow(stopping);
    expect(() => drain.drain(1, 'late')).toThrow(stopping);
  });

  test('sessions that cannot be closed are tried again', async () => {
    let attempts = 0;
    const stubborn = new Drain({
      sessions: () => sessions,
      closeAll: async () => {
        attempts += 1;
        if (attempts === 1) throw new Error('thread is gone');
        sessions = 0;
      },
      onState: () => {},
      log: silent,
    });
    const done = stubborn.stop(0, 'SIGTERM');
    await jest.advanceTimersByTimeAsync(500);
    await done;
    expect(attempts).toBe(2);
  });
});
