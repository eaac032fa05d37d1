import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { startPhone } from '../../test/support/test-fleet.ts';
import type { Phone } from '../../test/support/test-fleet.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { CallOptions } from '../routing/method.ts';
import { ResultMemory } from './result-memory.ts';

const HOUR_MS = 3_600_000;

describe('request ids of creates', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;
  let a: Phone;
  let b: Phone;
  let c: Phone;

  beforeEach(async () => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
    [a, b, c] = await Promise.all([0, 1, 2].map(() => startPhone(bus, clock)));
    await clock.advance(2_000);
  });
  afterEach(() => bus.close());

  const open = (phone: Phone, request: string): Promise<string> =>
    phone.plane.router.call(phone.open, request, { timeoutMs: HOUR_MS });
  const opened = (): number => a.sessions.size + b.sessions.size + c.sessions.size;

  test('a repetition through any instance gets the same session', async () => {
    const first = await open(a, 'r1||x');
    await clock.advance(100);
    expect(await open(b, 'r1||x')).toBe(first);
    expect(await open(c, 'r1||x')).toBe(first);
    expect(opened()).toBe(1);
    expect(await open(b, 'r2||x')).not.toBe(first);
  });

  test('concurrent repetitions join the first', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    for (const phone of [a, b, c]) phone.gate = gate;
    const calls = Array.from({ length: 9 }, (_, i) => open([a, b, c][i % 3], 'r1||x'));
    await clock.advance(3_000);
    release();
    await clock.advance(100);
    const ids = await Promise.all(calls);
    expect(new Set(ids).size).toBe(1);
    expect(opened()).toBe(1);
  });

  test('a caller whose time is up leaves the create at work: a repetition joins it', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    for (const phone of [a, b, c]) phone.gate = gate;
    const impatient = a.plane.router.call(a.open, 'r1||x', { timeoutMs: 300 });
    const late = expect(impatient).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await clock.advance(301);
    await late;
    const repetitions = [a, b, c].map((phone) => open(phone, 'r1||x'));
    await clock.advance(3_000);
    release();
    await clock.advance(100);
    expect(new Set(await Promise.all(repetitions)).size).toBe(1);
    expect(opened()).toBe(1);
  });

  test('the same id with another request is refused', async () => {
    await open(a, 'r1||x');
    await expect(open(b, 'r1||y')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'REQUEST_ID_REUSED',
      fieldViolations: [{ field: 'request_id' }],
    });
  });

  test('a create that failed may be tried again', async () => {
    await expect(open(a, 'r1||bad')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await clock.advance(100);
    await expect(open(b, 'r1||bad')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open(b, 'r1||good')).resolves.toMatch(/^ch_/);
  });

  test('a create that one instance refuses goes to another, once', async () => {
    a.limit = 0;
    b.limit = 0;
    const calls = [a, b, c].map((phone) => open(phone, 'r1||x'));
    await clock.advance(500);
    const ids = await Promise.all(calls);
    expect(new Set(ids).size).toBe(1);
    expect(c.sessions.size).toBe(1);
  });

  test('when all refuse, nothing is remembered', async () => {
    for (const phone of [a, b, c]) phone.limit = 0;
    await expect(open(a, 'r1||x')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    a.limit = 1;
    await clock.advance(2_000);
    await expect(open(b, 'r1||x')).resolves.toMatch(/^ch_/);
  });

  test('a claimer that vanished is replaced', async () => {
    const kv = bus.kv('mp_v1_phone_requests', { ttlMs: 600_000 });
    await open(a, 'r1||x');
    await clock.advance(100);
    const untouched = [a, b, c].find((phone) => phone.sessions.size === 0) ?? c;
    // The claim as a leader leaves it that dies before it asks the instance it named.
    const [entry] = await kv.entries();
    const claim: Record<string, unknown> = JSON.parse(new TextDecoder().decode(entry.value));
    const left = { ...claim, instanceId: untouched.plane.instanceId, response: '' };
    await kv.put(entry.key, new TextEncoder().encode(JSON.stringify(left)));
    const calls = [a, b, c].map((phone) => open(phone, 'r1||x'));
    await clock.advance(1_500);
    expect(new Set(await Promise.all(calls)).size).toBe(1);
    expect(untouched.sessions.size).toBe(1);
  });

  test('claims last ten minutes', async () => {
    const first = await open(a, 'r1||x');
    await clock.advance(601_000);
    const kv = bus.kv('mp_v1_phone_requests', { ttlMs: 600_000 });
    expect(await kv.size()).toBe(0);
    expect(first).toMatch(/^ch_/);
  });
});

describe('request ids of other mutations', () => {
  test('the owner does it once, through whichever instance it comes', async () => {
    const clock = new VirtualClock();
    const bus = new EmbeddedBus({ clock });
    const [owner, other] = await Promise.all([startPhone(bus, clock), startPhone(bus, clock)]);
    const id = owner.plane.newSessionId();
    const change = (phone: Phone, request: string): Promise<string> =>
      phone.plane.router.call(phone.change, request, { timeoutMs: HOUR_MS });
    expect(await change(other, `r1|${id}|x`)).toBe('1');
    expect(await change(owner, `r1|${id}|x`)).toBe('1');
    expect(await change(other, `r1|${id}|x`)).toBe('1');
    expect(await change(other, `r2|${id}|y`)).toBe('2');
    expect(await change(owner, `|${id}|z`)).toBe('3');
    expect(await change(other, `|${id}|z`)).toBe('4');
    for (const phone of [owner, other]) {
      await expect(change(phone, `r1|${id}|other`)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    }
    expect(owner.plane.counters.callsRepeated).toBe(2);
    await bus.close();
  });
});

describe('a mutation whose caller gave up', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;
  let owner: Phone;
  let other: Phone;
  let id: string;
  let release: () => void;

  beforeEach(async () => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
    owner = await startPhone(bus, clock, { limits: { maxConcurrentCalls: 1 } });
    other = await startPhone(bus, clock);
    id = owner.plane.newSessionId();
    owner.gate = new Promise((resolve) => (release = resolve));
  });
  afterEach(() => bus.close());

  const change = (phone: Phone, requestId: string, options: CallOptions = { timeoutMs: HOUR_MS }): Promise<string> =>
    phone.plane.router.call(phone.change, `${requestId}|${id}|x`, options);

  for (const where of ['here', 'elsewhere'] as const) {
    test(`at its deadline, ${where}: the same request id joins what is at work`, async () => {
      const phone = where === 'here' ? owner : other;
      const late = expect(change(phone, 'r1', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      await clock.advance(301);
      await late;
      const repeated = change(phone, 'r1');
      await clock.advance(0);
      release();
      expect(await repeated).toBe('1');
      expect(await change(other, 'r1')).toBe('1');
      expect(owner.calls).toHaveLength(1);
    });
  }

  test('by cancelling: the same request id joins what is at work', async () => {
    const caller = new AbortController();
    const given = change(owner, 'r1', { timeoutMs: HOUR_MS, signal: caller.signal });
    caller.abort();
    await expect(given).rejects.toMatchObject({ code: 'CANCELLED' });
    const repeated = change(owner, 'r1');
    release();
    expect(await repeated).toBe('1');
    expect(owner.calls).toHaveLength(1);
  });

  for (const requestId of ['', 'r1']) {
    test(`${requestId === '' ? 'without' : 'with'} a request id, by cancelling: it counts as running until its handler ends`, async () => {
      const caller = new AbortController();
      const given = change(owner, requestId, { timeoutMs: HOUR_MS, signal: caller.signal });
      caller.abort();
      await expect(given).rejects.toMatchObject({ code: 'CANCELLED' });
      await expect(change(owner, 'r2')).rejects.toMatchObject({ reason: 'OVERLOADED' });
      release();
      await clock.advance(0);
      expect(await change(owner, 'r2')).toBe('2');
    });
  }
});

describe('what an instance remembers', () => {
  test('joins, repeats, forgets failures, and is bounded', async () => {
    const memory = new ResultMemory(3);
    let runs = 0;
    const work = async (): Promise<Uint8Array> => Uint8Array.of(++runs);
    const never = (): void => {
      throw new Error('not repeated');
    };
    expect(await Promise.all([memory.run('k', 'f', work, never), memory.run('k', 'f', work, () => undefined)])).toEqual(
      [Uint8Array.of(1), Uint8Array.of(1)],
    );
    expect(() => memory.run('k', 'other', work, never)).toThrow(
      expect.objectContaining({ reason: 'REQUEST_ID_REUSED' }),
    );
    await expect(memory.run('bad', 'f', () => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
    expect(await memory.run('bad', 'f', work, never)).toEqual(Uint8Array.of(2));
    for (const key of ['x', 'y', 'z']) await memory.run(key, 'f', work, never);
    expect(memory.size).toBeLessThanOrEqual(3);
    expect(() => memory.follow('k', 'f')).toThrow(expect.objectContaining({ reason: 'NOT_REMEMBERED' }));
  });

  test('its bound holds while results come and go', async () => {
    const memory = new ResultMemory(100);
    let largest = 0;
    for (let i = 0; i < 1_000; i++) {
      await memory.run(
        `${i}`,
        'f',
        async () => Uint8Array.of(1),
        () => undefined,
      );
      largest = Math.max(largest, memory.size);
    }
    expect(largest).toBeLessThan(110);
    expect(memory.size).toBeGreaterThanOrEqual(100);
    for (let i = 0; i < 100; i++) expect(await memory.follow(`${999 - i}`, 'f')).toEqual(Uint8Array.of(1));
  });
});
