import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { collect, startPhone, textCodec } from '../../test/support/test-fleet.ts';
import type { Phone } from '../../test/support/test-fleet.ts';
import { FaultyBus } from '../testing/faulty-bus.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const bucket = { ttlMs: 0 };

describe('directory and events', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;
  let link: FaultyBus;
  let a: Phone;
  let b: Phone;

  beforeEach(async () => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
    link = new FaultyBus(bus);
    a = await startPhone(link, clock);
    b = await startPhone(bus, clock);
    await clock.advance(1_000);
  });
  afterEach(() => bus.close());

  const openOn = (phone: Phone, what = 'x'): string => {
    const id = phone.plane.newSessionId();
    phone.sessions.set(id, what);
    phone.plane.directory.put(id, what);
    phone.plane.events.publish(id, 'opened');
    return id;
  };

  test('a record is written behind, changed, listed everywhere and removed', async () => {
    const id = openOn(a, 'one');
    expect(a.plane.directory.pending(id)).toBe(true);
    expect(await b.plane.directory.list()).toEqual([]);
    expect(await a.plane.directory.list()).toHaveLength(1);
    await clock.advance(150);
    expect(a.plane.directory.pending(id)).toBe(false);
    expect(await b.plane.directory.list()).toEqual([{ sessionId: id, instanceId: a.plane.instanceId, record: 'one' }]);
    a.plane.directory.put(id, 'two');
    await clock.advance(150);
    expect((await b.plane.directory.list())[0].record).toBe('two');
    a.close(id);
    await clock.advance(150);
    expect(await b.plane.directory.list()).toEqual([]);
    expect(await bus.kv('mp_v1_phone_sessions', bucket).size()).toBe(0);
  });

  test('a session that ends within the flush interval leaves no record, but its events', async () => {
    const seen = collect(b);
    await clock.advance(10);
    const id = openOn(a);
    a.close(id);
    await clock.advance(300);
    expect(a.plane.counters).toMatchObject({ recordsWritten: 0, recordsRemoved: 0, recordsCoalesced: 1 });
    expect(seen.lines()).toEqual(['snapshot-end', `opened ${id}`, `closed ${id}`]);
    seen.stop();
  });

  test('100,000 open/close leave the session bucket empty', async () => {
    const live: string[] = [];
    for (let i = 0; i < 100_000; i++) {
      live.push(openOn(a));
      // Some short, some that reach the bucket.
      if (i % 2 === 0) a.close(live.pop() ?? '');
      if (i % 2_000 === 1_999) {
        await clock.advance(150);
        for (const id of live.splice(0, live.length - 100)) a.close(id);
      }
    }
    await clock.advance(150);
    for (const id of live) a.close(id);
    await clock.advance(1_000);
    const { recordsWritten, recordsRemoved, recordsCoalesced, eventsPublished } = a.plane.counters;
    expect(await bus.kv('mp_v1_phone_sessions', bucket).size()).toBe(0);
    expect(recordsWritten).toBe(recordsRemoved);
    expect(recordsRemoved).toBeGreaterThan(20_000);
    expect(recordsRemoved + recordsCoalesced).toBe(100_000);
    expect(eventsPublished).toBe(200_000);
  }, 60_000);

  test('a watch gives a snapshot, then events in order, with tokens to resume after', async () => {
    const first = openOn(a);
    await clock.advance(150);
    const seen = collect(b);
    await clock.advance(10);
    const second = openOn(a);
    a.plane.events.publish(second, 'dtmf 1');
    a.plane.events.publish(second, 'dtmf 2');
    await clock.advance(150);
    a.close(first);
    await clock.advance(150);
    expect(seen.lines()).toEqual([
      `session ${first}`,
      'snapshot-end',
      `opened ${second}`,
      `dtmf 1 ${second}`,
      `dtmf 2 ${second}`,
      `closed ${first}`,
    ]);
    const events = seen.items.filter((item) => item.kind === 'event');
    expect(events.map((event) => event.final)).toEqual([false, false, false, true]);
    expect(events[0].unixMs).toBeLessThanOrEqual(clock.unixMs());
    const resumed = collect(a, { resumeToken: events[1].resumeToken });
    await clock.advance(10);
    expect(resumed.lines()).toEqual([`dtmf 2 ${second}`, `closed ${first}`]);
    seen.stop();
    resumed.stop();
    expect(await seen.ended).toBeUndefined();
  });

  test('a session that has ended but still has its record is not in the snapshot', async () => {
    const id = openOn(a);
    await clock.advance(150);
    a.close(id);
    await clock.advance(150);
    await bus.kv('mp_v1_phone_sessions', bucket).put(`${a.plane.instanceId}.${id}`, textCodec.encode('x').finish());
    const seen = collect(b);
    await clock.advance(10);
    expect(seen.lines()).toEqual(['snapshot-end']);
    seen.stop();
  });

  test('heartbeats carry a token while nothing happens', async () => {
    const seen = collect(b, { heartbeatMs: 1_000 });
    await clock.advance(3_500);
    expect(seen.lines()).toEqual(['snapshot-end', 'heartbeat', 'heartbeat', 'heartbeat']);
    seen.stop();
  });

  test('a watch that wants none of many events: heartbeats on time, with a token past those it was spared', async () => {
    const id = openOn(a);
    await clock.advance(1_000);
    const done = new AbortController();
    const heartbeats: { atMs: number; resumeToken: string }[] = [];
    const watching = (async () => {
      const options = { signal: done.signal, heartbeatMs: 1_000, filter: () => false };
      for await (const item of b.plane.events.watch(options)) {
        if (item.kind === 'heartbeat') heartbeats.push({ atMs: clock.nowMs(), resumeToken: item.resumeToken });
      }
    })();
    await clock.advance(0);
    const startMs = clock.nowMs();
    for (let i = 0; i < 35; i++) {
      a.plane.events.publish(id, `noise ${i}`);
      await clock.advance(100);
    }
    done.abort();
    await watching;
    expect(heartbeats.map(({ atMs }) => atMs - startMs)).toEqual([1_000, 2_000, 3_000]);
    const resumed = collect(b, { resumeToken: heartbeats[2].resumeToken });
    await clock.advance(0);
    expect(resumed.lines()).toHaveLength(5);
    resumed.stop();
  });

  test('a heartbeat falls due even while the events that are not wanted never pause', async () => {
    const id = openOn(a);
    await clock.advance(150);
    const done = new AbortController();
    let spared = 0;
    const filter = (item: { readonly kind: string }): boolean => {
      if (item.kind === 'event') spared++;
      // Each event takes a while, so that the next is always there before a timer can fire.
      void clock.suspend(100);
      return false;
    };
    const options = { signal: done.signal, heartbeatMs: 1_000, filter };
    const watch = b.plane.events.watch(options)[Symbol.asyncIterator]();
    while ((await watch.next()).value.kind !== 'snapshot-end');
    const next = watch.next();
    for (let i = 0; i < 100; i++) a.plane.events.publish(id, `noise ${i}`);
    await clock.advance(0);
    expect((await next).value).toMatchObject({ kind: 'heartbeat' });
    expect(spared).toBe(10);
    done.abort();
  });

  test('only the sessions and events asked for', async () => {
    const wanted = openOn(a, 'red');
    const other = openOn(a, 'blue');
    await clock.advance(150);
    const done = new AbortController();
    const got: string[] = [];
    const watching = (async () => {
      for await (const item of b.plane.events.watch({
        signal: done.signal,
        sessionIds: [wanted],
        filter: (candidate) => candidate.kind === 'session' || candidate.event !== 'noise',
      })) {
        got.push(item.kind === 'event' ? item.event : item.kind);
      }
    })();
    await clock.advance(10);
    for (const event of ['noise', 'dtmf']) for (const id of [wanted, other]) a.plane.events.publish(id, event);
    await clock.advance(10);
    expect(got).toEqual(['session', 'snapshot-end', 'dtmf']);
    done.abort();
    await watching;
  });

  test('tokens that cannot be resumed', async () => {
    const seen = collect(b);
    const id = openOn(a);
    await clock.advance(150);
    const token = seen.items.find((item) => item.kind === 'snapshot-end')?.resumeToken ?? '';
    seen.stop();
    a.plane.events.publish(id, 'later');
    await clock.advance(150);
    await clock.advance(3_600_000);
    const ends = async (resumeToken: string): Promise<unknown> => {
      const watch = collect(b, { resumeToken });
      await clock.advance(10);
      watch.stop();
      return watch.ended;
    };
    expect(await ends(token)).toMatchObject({ code: 'OUT_OF_RANGE', reason: 'RESUME_TOKEN_TOO_OLD' });
    expect(await ends('AAAAAAAA.1')).toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(await ends('rubbish')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'resume_token' }],
    });
  });

  test('a watcher that falls far behind is ended', async () => {
    const slow = await startPhone(bus, clock, { limits: { maxWatchLag: 500 } });
    const id = openOn(a);
    await clock.advance(150);
    const done = new AbortController();
    const watch = slow.plane.events.watch({ signal: done.signal })[Symbol.asyncIterator]();
    while ((await watch.next()).value.kind !== 'snapshot-end');
    a.plane.events.publish(id, 'first');
    await clock.advance(150);
    expect((await watch.next()).value).toMatchObject({ event: 'first' });
    for (let i = 0; i < 1_000; i++) a.plane.events.publish(id, `e${i}`);
    await clock.advance(150);
    const drain = async (): Promise<void> => {
      while ((await watch.next()).done !== true);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'WATCH_TOO_SLOW' });
    expect(slow.plane.counters.watchersTooSlow).toBe(1);
  });

  test('away: all waits, nothing acknowledged is lost, order is kept', async () => {
    const before = openOn(a);
    await clock.advance(150);
    const seen = collect(b);
    await clock.advance(10);
    link.cut();
    const opened = openOn(a);
    a.plane.events.publish(opened, 'dtmf');
    const short = openOn(a);
    a.close(short);
    a.close(before);
    await expect(a.plane.directory.flush()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await clock.advance(3_000);
    expect(a.plane.directory.pending(opened)).toBe(true);
    link.mend();
    await clock.advance(500);
    expect(a.plane.directory.pending(opened)).toBe(false);
    const of = (id: string): string[] => seen.lines().filter((line) => line.endsWith(id));
    expect(of(before)).toEqual([`session ${before}`, `closed ${before}`]);
    expect(of(opened)).toEqual([`opened ${opened}`, `dtmf ${opened}`]);
    expect(of(short)).toEqual([`opened ${short}`, `closed ${short}`]);
    expect((await b.plane.directory.list()).map((entry) => entry.sessionId)).toEqual([opened]);
    seen.stop();
  });

  test('away: new sessions are refused when too much waits, ends are never dropped', async () => {
    const tight = new FaultyBus(bus);
    const phone = await startPhone(tight, clock, { limits: { maxPendingWrites: 10 } });
    await clock.advance(1_000);
    tight.cut();
    const ids: string[] = [];
    while (ids.length < 100) {
      try {
        ids.push(openOn(phone));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'AWAY_BUFFER_FULL' });
        break;
      }
    }
    expect(ids).toHaveLength(5);
    for (let i = 0; i < 50; i++) phone.plane.events.publish(ids[0], `e${i}`);
    expect(phone.plane.counters.eventsDropped).toBe(40);
    for (const id of ids) phone.close(id);
    const seen = collect(b);
    tight.mend();
    await clock.advance(1_000);
    expect(seen.lines().filter((line) => line.startsWith('closed'))).toHaveLength(5);
    expect(await bus.kv('mp_v1_phone_sessions', bucket).size()).toBe(0);
    seen.stop();
  });
});
