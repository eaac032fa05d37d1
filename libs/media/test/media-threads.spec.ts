import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MediaThreads, type MediaThreadsOptions } from '@mediaplane/media';
import { createUdpSockets, type UdpSocketHandle, type UdpSockets } from '@mediaplane/net';
import type { EchoContract } from './echo-program.ts';

const ECHO = 0;

/** Awaitable record of what the pool reported. */
class Reports {
  readonly list: { type: string; sessionId: string; detail: unknown }[] = [];
  #waiting: (() => void)[] = [];

  add(type: string, sessionId: string, detail: unknown): void {
    this.list.push({ type, sessionId, detail });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async next(type: string, sessionId?: string): Promise<unknown> {
    for (;;) {
      const found = this.list.find(
        (report) => report.type === type && (sessionId ?? report.sessionId) === report.sessionId,
      );
      if (found) return found.detail;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

describe.each(['native', 'dgram'] as const)('MediaThreads over %s', (implementation) => {
  let sockets: UdpSockets;
  let reports: Reports;
  let pool: MediaThreads<EchoContract>;
  let phone: Socket;
  const opened: UdpSocketHandle[] = [];

  const start = (options: Partial<MediaThreadsOptions<EchoContract>> = {}): Promise<MediaThreads<EchoContract>> =>
    MediaThreads.start<EchoContract>({
      threads: 2,
      program: new URL('./echo-program.ts', import.meta.url),
      programOptions: 'options',
      programCounters: ['echoed'],
      implementation,
      latencyBudgetUs: 500,
      onEvent: (sessionId, event) => reports.add(event.type, sessionId, event),
      onSessionLost: (sessionId, handles, cause) => reports.add('lost', sessionId, { handles, cause }),
      onThreadRestarted: (thread, cause) => reports.add('restarted', String(thread), cause),
      ...options,
    });

  const openSession = async (sessionId: string, near?: string): Promise<UdpSocketHandle> => {
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    opened.push(handle);
    await pool.open(sessionId, [{ role: ECHO, handle }], { greeting: 'hello' }, near);
    return handle;
  };

  const echo = async (handle: UdpSocketHandle, text: string): Promise<string> => {
    const answer = once(phone, 'message');
    phone.send(text, handle.port, '127.0.0.1');
    return String((await answer)[0]);
  };

  beforeEach(async () => {
    sockets = createUdpSockets(implementation);
    reports = new Reports();
    pool = await start();
    phone = createSocket('udp4');
    phone.bind(0, '127.0.0.1');
    await once(phone, 'listening');
  });

  afterEach(async () => {
    await pool.stop();
    for (const handle of opened.splice(0)) sockets.close(handle);
    phone.close();
  });

  test('a session serves its socket, answers commands and says its last words', async () => {
    const handle = await openSession('s1');
    expect(await echo(handle, 'one')).toBe('one');
    expect(await echo(handle, 'two')).toBe('two');
    expect(await pool.command('s1', 'count', null)).toMatchObject({ echoed: 2, thread: 'options' });
    expect(await pool.close('s1', 'bye')).toEqual({ echoed: 2, closing: 'bye' });
    expect(pool.sessions).toBe(0);
    await expect(pool.command('s1', 'count', null)).rejects.toMatchObject({ code: 'no-such-session' });
  });

  test('sessions are spread over threads, or placed near another', async () => {
    for (let i = 0; i < 4; i += 1) await openSession(`s${i}`);
    expect(pool.threads.map((thread) => thread.sessions)).toEqual([2, 2]);
    await openSession('near', 's0');
    expect(await pool.command('near', 'peerEchoed', 's0')).toBe(0);
  });

  test('a session moves to the thread of another with its state, and its socket goes on', async () => {
    const handle = await openSession('s0');
    await openSession('s1');
    expect(await echo(handle, 'before')).toBe('before');
    expect(await pool.command('s0', 'peerEchoed', 's1')).toBe(-1);
    const move = pool.bringTogether('s0', 's1');
    const after = pool.command('s0', 'peerEchoed', 's1');
    await move;
    expect(await after).toBe(0);
    expect(await echo(handle, 'after')).toBe('after');
    expect(await pool.command('s0', 'count', null)).toMatchObject({ echoed: 2 });
    expect(await pool.command('s1', 'peerEchoed', 's0')).toBe(2);
  });

  test('timers and frames reach the session', async () => {
    await openSession('s0');
    await pool.command('s0', 'frames', true);
    await pool.command('s0', 'deadline', 150_000);
    expect(await reports.next('deadline', 's0')).toMatchObject({ latenessUs: expect.any(Number) });
    await pool.command('s0', 'frames', false);
    const { frames } = await pool.command('s0', 'count', null);
    expect(frames).toBeGreaterThanOrEqual(5);
  });

  test('a command that throws is refused and harms nobody', async () => {
    const handle = await openSession('s0');
    await expect(pool.command('s0', 'fail', 'command')).rejects.toMatchObject({
      code: 'command-failed',
      message: 'refused on request',
    });
    expect(await echo(handle, 'alive')).toBe('alive');
  });

  test('a session that throws on a datagram ends alone', async () => {
    const bad = await openSession('s0');
    const good = await openSession('s1', 's0');
    await pool.command('s0', 'fail', 'datagram');
    phone.send('x', bad.port, '127.0.0.1');
    expect(await reports.next('lost', 's0')).toMatchObject({ cause: expect.stringContaining('failing on request') });
    expect(await echo(good, 'alive')).toBe('alive');
    expect(pool.sessions).toBe(1);
  });

  test('a thread that dies takes just its sessions; its sockets come back and a new thread serves', async () => {
    const dead = await openSession('s0');
    const good = await openSession('s1');
    await expect(pool.command('s0', 'fail', 'thread')).rejects.toMatchObject({ code: 'thread-lost' });
    expect(await reports.next('lost', 's0')).toMatchObject({ handles: [dead] });
    await reports.next('restarted');
    expect(reports.list.filter((report) => report.type === 'lost')).toHaveLength(1);
    expect(await echo(good, 'alive')).toBe('alive');
    sockets.close(dead);
    // Until it is in its loop, new sessions go to the others.
    await Promise.all(pool.threads.map((thread) => thread.ready));
    expect(await echo(await openSession('s2'), 'again')).toBe('again');
    expect(pool.threads.map((thread) => thread.sessions)).toEqual([1, 1]);
  });

  test('threads that die leave no descriptor behind', async () => {
    if (implementation !== 'native') return;
    const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
    const die = async (sessionId: string): Promise<void> => {
      const handle = await openSession(sessionId);
      await expect(pool.command(sessionId, 'fail', 'thread')).rejects.toMatchObject({ code: 'thread-lost' });
      await reports.next('lost', sessionId);
      sockets.close(handle);
      await Promise.all(pool.threads.map((thread) => thread.ready));
    };
    await die('first');
    const before = await open();
    for (let i = 0; i < 5; i += 1) await die(`s${i}`);
    expect(await open()).toBeLessThanOrEqual(before);
  });

  test('a stalled thread is seen, then replaced', async () => {
    await pool.stop();
    pool = await start({ stallMs: 300, killMs: 1200 });
    await openSession('s0');
    const spin = pool.command('s0', 'spin', 60_000);
    const stalled = new Promise<number[]>((resolve) => {
      const poll = setInterval(() => {
        if (pool.stalledThreads().length === 0) return;
        clearInterval(poll);
        resolve(pool.stalledThreads());
      }, 20);
    });
    expect(await stalled).toEqual([0]);
    await expect(spin).rejects.toMatchObject({ code: 'thread-lost' });
    await reports.next('lost', 's0');
    await Promise.all(pool.threads.map((thread) => thread.ready));
    expect(pool.stalledThreads()).toEqual([]);
  });

  test('counters of the thread and the program are shared', async () => {
    const handle = await openSession('s0');
    await echo(handle, 'one');
    const [thread] = pool.threads;
    // dgram counts a datagram when Node says that it is gone, which is after the pass that sent it.
    for (let i = 0; i < 100 && thread.counters.get('datagramsSent') === 0; i += 1)
      await pool.command('s0', 'count', null);
    expect(thread.programCounters.get('echoed')).toBe(1);
    expect(thread.counters.get('datagramsSent')).toBe(1);
  });

  test('an id that is open cannot be opened again; a stopping pool opens nothing', async () => {
    await openSession('s0');
    await expect(pool.open('s0', [], { greeting: '' })).rejects.toMatchObject({ code: 'session-exists' });
    const stopped = pool.stop();
    await expect(pool.open('s1', [], { greeting: '' })).rejects.toMatchObject({ code: 'stopping' });
    await stopped;
  });
});
