import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { startPhone } from '../../test/support/test-fleet.ts';
import type { Phone } from '../../test/support/test-fleet.ts';
import { FaultyBus } from '../testing/faulty-bus.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { makeSessionId, parseSessionId } from './session-id.ts';

const HOUR_MS = 3_600_000;

describe('router', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;
  let links: FaultyBus[];
  let a: Phone;
  let b: Phone;
  let c: Phone;

  beforeEach(async () => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
    links = [new FaultyBus(bus), new FaultyBus(bus), new FaultyBus(bus)];
    [a, b, c] = await Promise.all(links.map((link) => startPhone(link, clock)));
    await clock.advance(2_000);
  });
  afterEach(() => bus.close());

  const open = (phone: Phone, request = '||x', timeoutMs = HOUR_MS): Promise<string> =>
    phone.plane.router.call(phone.open, request, { timeoutMs });
  const get = (phone: Phone, id: string): Promise<string> =>
    phone.plane.router.call(phone.get, id, { timeoutMs: HOUR_MS });
  const ownerOf = (id: string): Phone => {
    const owner = [a, b, c].find((phone) => phone.plane.instanceId === parseSessionId(id)?.instanceId);
    if (owner === undefined) throw new Error(`nobody owns ${id}`);
    return owner;
  };

  test('opened through one, owned by another, commanded through a third', async () => {
    a.limit = 0;
    c.limit = 0;
    await clock.advance(2_000);
    const id = await open(a, '||hello');
    expect(ownerOf(id)).toBe(b);
    expect(await get(c, id)).toBe('hello');
    expect(await get(b, id)).toBe('hello');
    expect(c.plane.counters.callsForwarded).toBe(1);
    expect(b.plane.counters.callsForwarded).toBe(0);
  });

  test('handlers cannot tell where the caller was', async () => {
    const id = await open(a);
    const owner = ownerOf(id);
    const other = owner === a ? b : a;
    await owner.plane.router.call(owner.get, id, { timeoutMs: 5_000 });
    await other.plane.router.call(other.get, id, { timeoutMs: 5_000 });
    const contexts = owner.calls.filter((call) => call.method === 'Get').map((call) => call.context);
    for (const { requestId, signal } of contexts) {
      expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(signal.aborted).toBe(false);
    }
    expect(contexts.map((context) => context.deadlineMs - clock.nowMs())).toEqual([5_000, 5_000]);
  });

  test('what bad ids get', async () => {
    await expect(get(a, 'nonsense')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'session_id' }],
    });
    await expect(get(a, makeSessionId('zz', a.plane.instanceId))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(get(a, makeSessionId('ch', b.plane.instanceId))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'SESSION_UNKNOWN',
    });
    await expect(get(a, makeSessionId('ch', 'neverseen'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(a.plane.router.call(a.who, 'a.b')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('the instance named answers', async () => {
    expect(await a.plane.router.call(a.who, c.plane.instanceId)).toBe(c.plane.instanceId);
  });

  test('a create may be pinned to an instance', async () => {
    const pinnedTo = (instanceId: string): typeof a.open => ({
      ...a.open,
      route: { kind: 'placed', pinned: { field: 'instance_id', instanceId: () => instanceId } },
    });
    for (const phone of [a, b, c]) {
      const id = await a.plane.router.call(pinnedTo(phone.plane.instanceId), '||x', { timeoutMs: HOUR_MS });
      expect(ownerOf(id)).toBe(phone);
    }
    ownerOf(await a.plane.router.call(pinnedTo(''), '||x', { timeoutMs: HOUR_MS }));
    await expect(a.plane.router.call(pinnedTo('A.B'), '||x')).rejects.toMatchObject({
      fieldViolations: [{ field: 'instance_id' }],
    });
  });

  test('a service may have sessions of other kinds', async () => {
    const route = { kind: 'owner', field: 'up_id', sessionKind: 'up', sessionId: (id: string) => id } as const;
    const foreign = makeSessionId('up', b.plane.instanceId);
    await expect(a.plane.router.call({ ...a.get, route }, foreign)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'SESSION_UNKNOWN',
    });
    await expect(
      a.plane.router.call({ ...a.get, route }, makeSessionId('ch', b.plane.instanceId)),
    ).rejects.toMatchObject({ fieldViolations: [{ field: 'up_id' }] });
  });

  test('a deadline holds end to end, and the handler is told', async () => {
    const id = await open(a);
    const owner = ownerOf(id);
    owner.gate = new Promise(() => undefined);
    for (const phone of [a, b, c]) {
      const call = expect(phone.plane.router.call(phone.get, id, { timeoutMs: 300 })).rejects.toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      });
      await clock.advance(301);
      await call;
    }
    expect(owner.calls.filter((call) => call.method === 'Get').map((call) => call.context.signal.aborted)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('a caller that cancels gets CANCELLED', async () => {
    const id = await open(a);
    ownerOf(id).gate = new Promise(() => undefined);
    const caller = new AbortController();
    const call = b.plane.router.call(b.get, id, { signal: caller.signal, timeoutMs: HOUR_MS });
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a burst does not pile on one instance, and draining ones get nothing', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, () => open(a)));
    expect(new Set(ids).size).toBe(300);
    for (const phone of [a, b, c]) expect(phone.sessions.size).toBeGreaterThan(50);
    b.plane.drain();
    await clock.advance(0);
    const before = b.sessions.size;
    await Promise.all(Array.from({ length: 50 }, () => open(a)));
    expect(b.sessions.size).toBe(before);
    b.plane.undrain();
    await clock.advance(0);
    await Promise.all(Array.from({ length: 50 }, () => open(a)));
    expect(b.sessions.size).toBeGreaterThan(before);
  });

  test('near keeps sessions together while there is room', async () => {
    const first = await open(a);
    const near = await Promise.all(Array.from({ length: 20 }, () => open(c, `|${first}|x`)));
    expect(new Set(near.map((id) => ownerOf(id)))).toEqual(new Set([ownerOf(first)]));
    ownerOf(first).limit = 0;
    await clock.advance(2_000);
    expect(ownerOf(await open(c, `|${first}|x`))).not.toBe(ownerOf(first));
  });

  test('an instance that refuses is passed over; RESOURCE_EXHAUSTED when all do', async () => {
    // Not yet said in any heartbeat.
    b.limit = 0;
    c.limit = 0;
    for (let i = 0; i < 20; i++) expect(ownerOf(await open(a))).toBe(a);
    a.limit = 0;
    await clock.advance(2_000);
    await expect(open(a)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'NO_CAPACITY',
      retryAfterMs: 1_000,
    });
  });

  test.each(['', 'r1'])(
    'why all that could take it did not is what the caller is told (request id "%s")',
    async (id) => {
      c.limit = 0;
      await clock.advance(2_000);
      await expect(open(a, `${id}||large`)).rejects.toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'MEMORY_EXHAUSTED',
        retryAfterMs: 500,
      });
      expect([a, b, c].map(({ calls }) => calls.length)).toEqual([1, 1, 0]);
    },
  );

  test.each(['', 'r1'])('DRAINING when all do (request id "%s")', async (id) => {
    for (const phone of [a, b, c]) phone.plane.drain();
    await clock.advance(0);
    await expect(open(a, `${id}||x`)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
      retryAfterMs: 1_000,
    });
  });

  test('the gate refuses more calls than may run, fewer under loop lag', async () => {
    let lagMs = 0;
    const busy = await startPhone(bus, clock, { loopLagMs: () => lagMs, limits: { maxConcurrentCalls: 4 } });
    const id = makeSessionId('ch', busy.plane.instanceId);
    busy.sessions.set(id, 'x');
    let release = (): void => undefined;
    busy.gate = new Promise((resolve) => (release = resolve));
    const running = Array.from({ length: 4 }, () => get(a, id));
    await clock.advance(0);
    await expect(get(a, id)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'OVERLOADED',
      retryAfterMs: 200,
    });
    release();
    expect(await Promise.all(running)).toEqual(['x', 'x', 'x', 'x']);
    lagMs = 200;
    busy.gate = new Promise((resolve) => (release = resolve));
    const one = get(a, id);
    await clock.advance(0);
    await expect(get(a, id)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    release();
    await one;
    expect(busy.plane.counters.callsRefused).toBe(2);
  });

  test.each(['here', 'by the bus'])(
    'a handler that never ends, called %s, has its place until the deadline',
    async (way) => {
      const busy = await startPhone(bus, clock, { limits: { maxConcurrentCalls: 1 } });
      const id = makeSessionId('ch', busy.plane.instanceId);
      busy.sessions.set(id, 'x');
      const caller = way === 'here' ? busy : a;
      busy.gate = new Promise(() => undefined);
      const gaveUp = new AbortController();
      const call = caller.plane.router.call(caller.get, id, { timeoutMs: 1_000, signal: gaveUp.signal });
      await clock.advance(100);
      gaveUp.abort();
      await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
      busy.gate = Promise.resolve();
      // It is still at work, for all that is known.
      await expect(get(caller, id)).rejects.toMatchObject({ reason: 'OVERLOADED' });
      expect(busy.plane.counters.callsOverdue).toBe(0);
      await clock.advance(1_000);
      expect(await get(caller, id)).toBe('x');
      expect(busy.plane.counters.callsOverdue).toBe(1);
    },
  );

  test('a stream is pulled from its owner, whole and in order', async () => {
    const id = await open(a);
    for (const phone of [a, b, c]) {
      const got: string[] = [];
      for await (const line of phone.plane.router.stream(phone.read, id)) got.push(line.split(' ')[0]);
      expect(got).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    }
    const missing = makeSessionId('ch', b.plane.instanceId);
    const read = a.plane.router.stream(a.read, missing)[Symbol.asyncIterator]();
    await expect(read.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('drain and undrain are seen by the others', async () => {
    c.plane.drain();
    expect(c.plane.fleet.get(c.plane.instanceId).state).toBe('DRAINING');
    expect(c.plane.state).toBe('DRAINING');
    await clock.advance(0);
    expect(b.plane.fleet.get(c.plane.instanceId).state).toBe('DRAINING');
    c.plane.undrain();
    await clock.advance(0);
    expect(b.plane.fleet.get(c.plane.instanceId).state).toBe('SERVING');
    expect(a.plane.fleet.list({ service: 'phone' })).toHaveLength(3);
    expect(a.plane.fleet.list({ service: 'other' })).toEqual([]);
    expect(() => a.plane.fleet.get('nobody')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test('away: local calls and opens work, remote ones fail at once', async () => {
    const mine = await open(a, '||x');
    const local = ownerOf(mine);
    const link = links[[a, b, c].indexOf(local)];
    const other = [a, b, c].find((phone) => phone !== local) ?? a;
    link.cut();
    expect(await get(local, mine)).toBe('x');
    const opened = await open(local, 'r1||y');
    expect(ownerOf(opened)).toBe(local);
    expect(await open(local, 'r1||y')).toBe(opened);
    expect(local.plane.directory.pending(opened)).toBe(true);
    const remote = makeSessionId('ch', other.plane.instanceId);
    await expect(get(local, remote)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'BUS_AWAY' });
    link.mend();
    await clock.advance(500);
    expect(local.plane.directory.pending(opened)).toBe(false);
    expect((await other.plane.directory.list()).map((entry) => entry.sessionId).sort()).toEqual([mine, opened].sort());
  });

  test('ids of an instance that stopped are NOT_FOUND, and it is out of the list', async () => {
    const id = makeSessionId('ch', c.plane.instanceId);
    c.plane.stop().catch(() => undefined);
    await clock.advance(1_000);
    await expect(get(a, id)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'INSTANCE_UNKNOWN' });
    expect(a.plane.fleet.list().map((instance) => instance.instanceId)).not.toContain(c.plane.instanceId);
  });
});
