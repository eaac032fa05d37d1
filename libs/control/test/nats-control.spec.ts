import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startNatsServer, startTcpLink } from '@mediaplane/testkit';
import type { NatsServer } from '@mediaplane/testkit';
import type { BusState } from '../src/bus/bus.ts';
import { NatsBus } from '../src/bus/nats-bus.ts';
import { delay, systemClock } from '../src/clock.ts';
import { makeSessionId } from '../src/routing/session-id.ts';
import { collect, startPhone } from './support/test-fleet.ts';
import type { Phone } from './support/test-fleet.ts';

const LEASE_TTL_MS = 1_500;
const limits = { leaseTtlMs: LEASE_TTL_MS, heartbeatIntervalMs: 200, orphanGraceMs: 2_000 };

describe('control plane on a real nats-server', () => {
  let server: NatsServer;
  let buses: NatsBus[];
  let a: Phone;
  let b: Phone;
  let c: Phone;

  beforeEach(async () => {
    server = await startNatsServer();
    const connect = (name: string): Promise<NatsBus> => NatsBus.connect({ servers: [server.url], name });
    buses = await Promise.all(['a', 'b', 'c'].map(connect));
    [a, b, c] = await Promise.all(buses.map((bus) => startPhone(bus, systemClock, { limits })));
    await until(() => [a, b, c].every((phone) => phone.plane.fleet.list().length === 3));
  });
  afterEach(async () => {
    await Promise.all([a, b, c].map((phone) => phone.plane.stop()));
    await Promise.all(buses.map((bus) => bus.close()));
    await server.stop();
  });

  /** Waits for what no event tells. The test's own time limit ends it. */
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await delay(systemClock, 20);
  }

  function state(bus: NatsBus, wanted: BusState): Promise<void> {
    if (bus.state === wanted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = bus.onStateChange((now) => {
        if (now !== wanted) return;
        stop();
        resolve();
      });
    });
  }

  const openOn = (phone: Phone, what = 'x'): string => {
    const id = phone.plane.newSessionId();
    phone.sessions.set(id, what);
    phone.plane.directory.put(id, what);
    phone.plane.events.publish(id, 'opened');
    return id;
  };
  const lines = (seen: ReturnType<typeof collect>, start: string): string[] =>
    seen.lines().filter((line) => line.startsWith(start));

  test('opened through A, owned by B, commanded through C; B dies and A hears of it', async () => {
    const seen = collect(a);
    a.limit = 0;
    c.limit = 0;
    await until(() => [a, c].every((phone) => b.plane.fleet.get(phone.plane.instanceId).capacity.limit === 0));
    const id = await a.plane.router.call(a.open, 'r1||hello');
    expect(b.sessions.has(id)).toBe(true);
    expect(await c.plane.router.call(c.open, 'r1||hello')).toBe(id);
    expect(await c.plane.router.call(c.get, id)).toBe('hello');
    let chunks = 0;
    for await (const line of c.plane.router.stream(c.read, id)) chunks += line.length > 0 ? 1 : 0;
    expect(chunks).toBe(300);
    await expect(a.plane.router.call(a.get, makeSessionId('ch', 'neverseen'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await until(() => !b.plane.directory.pending(id));
    expect((await c.plane.directory.list()).map((entry) => entry.sessionId)).toEqual([id]);

    await buses[1].close();
    await until(() => lines(seen, 'closed').length > 0);
    expect(lines(seen, 'closed')).toEqual([`closed instance-lost hello ${id}`]);
    await until(async () => (await c.plane.directory.list()).length === 0);
    await expect(c.plane.router.call(c.get, id)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'INSTANCE_LOST',
    });
    seen.stop();
  });

  test('a restart longer than the lease TTL loses nobody and nothing', async () => {
    const before = openOn(a, 'before');
    await a.plane.directory.flush();
    const seen = collect(b);
    await until(() => seen.lines().includes('snapshot-end'));
    await server.halt('SIGKILL');
    await Promise.all(buses.map((bus) => state(bus, 'away')));

    expect(await a.plane.router.call(a.get, before)).toBe('before');
    const during = await a.plane.router.call(a.open, 'r9||during');
    expect(a.plane.directory.pending(during)).toBe(true);
    a.plane.events.publish(during, 'dtmf');
    const short = openOn(a);
    a.close(short);
    const startedMs = performance.now();
    await expect(b.plane.router.call(b.get, before)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'BUS_AWAY' });
    await expect(b.plane.directory.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await delay(systemClock, 2 * LEASE_TTL_MS);

    await server.resume();
    await Promise.all(buses.map((bus) => state(bus, 'connected')));
    await a.plane.directory.flush().catch(() => undefined);
    await until(() => lines(seen, 'closed').length > 0);
    // Long enough for anybody who wanted to judge.
    await delay(systemClock, 4 * LEASE_TTL_MS);
    const of = (id: string): string[] => seen.lines().filter((line) => line.endsWith(id));
    expect(of(before)).toEqual([`session ${before}`]);
    expect(of(during)).toEqual([`opened ${during}`, `dtmf ${during}`]);
    expect(of(short)).toEqual([`opened ${short}`, `closed ${short}`]);
    expect((await c.plane.directory.list()).map((entry) => entry.sessionId).sort()).toEqual([before, during].sort());
    for (const phone of [a, b, c]) {
      expect(phone.plane.counters.instancesDeclaredLost).toBe(0);
      expect(phone.plane.state).toBe('SERVING');
    }
    seen.stop();
  }, 40_000);

  test('thousands of open/close leave the session bucket empty', async () => {
    const sessions = buses[1].kv('mp_v1_phone_sessions', { ttlMs: 0 });
    const rounds = 5;
    for (let round = 0; round < rounds; round++) {
      const ids = Array.from({ length: 1_000 }, () => openOn(a));
      await a.plane.directory.flush();
      if (round === 0) expect(await sessions.size()).toBe(1_000);
      for (const id of ids) a.close(id);
      for (let i = 0; i < 200; i++) a.close(openOn(a));
    }
    await a.plane.directory.flush();
    expect(await sessions.size()).toBe(0);
    expect(a.plane.counters).toMatchObject({ recordsWritten: 5_000, recordsRemoved: 5_000, recordsCoalesced: 1_000 });
    expect(a.plane.counters.eventsPublished).toBe(12_000);
    expect(a.plane.counters.eventsDropped).toBe(0);
  }, 60_000);

  test('an instance cut off longer than the TTL is declared lost, keeps its media for the grace time, and rejoins', async () => {
    const link = await startTcpLink(server.port);
    const lone = await NatsBus.connect({ servers: [`nats://127.0.0.1:${link.port}`], name: 'lone' });
    const phone = await startPhone(lone, systemClock, { limits });
    const id = openOn(phone);
    await phone.plane.directory.flush();
    const seen = collect(a);
    await until(() => seen.lines().includes(`session ${id}`));
    link.cut();
    await until(() => lines(seen, 'closed').length > 0);
    expect(phone.sessions.has(id)).toBe(true);
    expect(phone.plane.counters.instancesDeclaredLost).toBe(0);
    link.heal();
    await until(() => phone.orphaned.length > 0);
    expect(phone.orphaned).toEqual([id]);
    await until(() => phone.plane.state === 'SERVING');
    expect(lines(seen, 'closed')).toHaveLength(1);
    seen.stop();
    await phone.plane.stop();
    await lone.close();
    await link.close();
  }, 40_000);
});
