import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { collect, startPhone } from '../../test/support/test-fleet.ts';
import type { Phone } from '../../test/support/test-fleet.ts';
import { FaultyBus } from '../testing/faulty-bus.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

interface Node {
  readonly phone: Phone;
  readonly link: FaultyBus;
}

describe('loss', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;

  beforeEach(() => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
  });
  afterEach(() => bus.close());

  type Overrides = Parameters<typeof startPhone>[2];

  async function startNode(overrides?: Overrides): Promise<Node> {
    const link = new FaultyBus(bus);
    return { link, phone: await startPhone(link, clock, overrides) };
  }

  async function startFleet(count: number, overrides?: Overrides): Promise<Node[]> {
    const nodes = await Promise.all(Array.from({ length: count }, () => startNode(overrides)));
    await clock.advance(10_000);
    return nodes;
  }

  const openOn = ({ phone }: Node): string => {
    const id = phone.plane.newSessionId();
    phone.sessions.set(id, 'x');
    phone.plane.directory.put(id, 'x');
    phone.plane.events.publish(id, 'opened');
    return id;
  };
  const declared = (nodes: readonly Node[]): number =>
    nodes.reduce((sum, { phone }) => sum + phone.plane.counters.instancesDeclaredLost, 0);

  test('an instance that dies: one survivor gives each session its end, within 10 s', async () => {
    const nodes = await startFleet(3);
    const [a, b, c] = nodes;
    const ids = [openOn(b), openOn(b), openOn(b)].sort();
    const kept = openOn(c);
    await clock.advance(1_000);
    const seen = collect(a.phone);
    await clock.advance(10);
    b.link.cut();
    await clock.advance(10_000);
    expect(
      seen
        .lines()
        .filter((line) => line.startsWith('closed'))
        .sort(),
    ).toEqual(ids.map((id) => `closed instance-lost x ${id}`));
    expect(declared(nodes)).toBe(1);
    expect(a.phone.plane.counters.sessionsDeclaredLost + c.phone.plane.counters.sessionsDeclaredLost).toBe(3);
    expect((await a.phone.plane.directory.list()).map((entry) => entry.sessionId)).toEqual([kept]);
    await expect(a.phone.plane.router.call(a.phone.get, ids[0], { timeoutMs: 60_000 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await clock.advance(60_000);
    expect(declared(nodes)).toBe(1);
    seen.stop();
  });

  test('the last of two instances can judge the other', async () => {
    const [a, b] = await startFleet(2);
    openOn(b);
    await clock.advance(1_000);
    b.link.cut();
    await clock.advance(10_000);
    expect(a.phone.plane.counters.sessionsDeclaredLost).toBe(1);
  });

  test('a fleet that died as a whole is judged by the next one', async () => {
    const old = await startFleet(2);
    const seen = [openOn(old[0]), openOn(old[1])].length;
    await clock.advance(1_000);
    for (const { link } of old) link.cut();
    await clock.advance(60_000);
    const [next] = await startFleet(1);
    await clock.advance(20_000);
    expect(next.phone.plane.counters.sessionsDeclaredLost).toBe(seen);
    expect(await next.phone.plane.directory.list()).toEqual([]);
  });

  test('one that is cut off judges nobody; its sessions end only after the grace time, and it rejoins', async () => {
    const nodes = await startFleet(3);
    const [a, b, c] = nodes;
    const id = openOn(b);
    openOn(a);
    openOn(c);
    await clock.advance(1_000);
    b.link.cut();
    await clock.advance(60_000);
    expect(b.phone.plane.counters.instancesDeclaredLost).toBe(0);
    expect(b.phone.sessions.has(id)).toBe(true);
    expect(b.phone.orphaned).toEqual([]);
    b.link.mend();
    await clock.advance(1_000);
    expect(b.phone.plane.state).toBe('DRAINING');
    expect(b.phone.sessions.has(id)).toBe(true);
    await clock.advance(30_000);
    expect(b.phone.orphaned).toEqual([id]);
    expect(b.phone.plane.counters.sessionsOrphaned).toBe(1);
    expect(b.phone.plane.state).toBe('SERVING');
    openOn(b);
    await clock.advance(20_000);
    expect(declared(nodes)).toBe(1);
    expect(await a.phone.plane.directory.list()).toHaveLength(3);
  });

  test('a silent cut is judged by nobody on the wrong side', async () => {
    const [, b] = await startFleet(3);
    b.link.cutSilently();
    await clock.advance(60_000);
    expect(b.phone.plane.counters.instancesDeclaredLost).toBe(0);
  });

  test('a partition of one instance that answers a probe declares nobody lost', async () => {
    const probed: string[] = [];
    const nodes = await startFleet(3, {
      probe: async (instance) => {
        probed.push(instance.addresses['grpc']);
        return true;
      },
    });
    const [a, b] = nodes;
    const id = openOn(b);
    await clock.advance(1_000);
    b.link.cut();
    await clock.advance(120_000);
    expect(probed.length).toBeGreaterThan(0);
    b.link.mend();
    await clock.advance(10_000);
    expect(declared(nodes)).toBe(0);
    expect(b.phone.plane.state).toBe('SERVING');
    expect((await a.phone.plane.directory.list()).map((entry) => entry.sessionId)).toEqual([id]);
  });

  test('a bus that is away for all, however long, loses nobody', async () => {
    const nodes = await startFleet(3);
    const ids = nodes.map(openOn).sort();
    await clock.advance(1_000);
    for (const { link } of nodes) link.cut();
    await clock.advance(600_000);
    ids.push(openOn(nodes[1]));
    nodes[0].link.mend();
    await clock.advance(2_000);
    nodes[1].link.mend();
    await clock.advance(2_000);
    nodes[2].link.mend();
    await clock.advance(60_000);
    expect(declared(nodes)).toBe(0);
    expect((await nodes[0].phone.plane.directory.list()).map((entry) => entry.sessionId)).toEqual(ids.sort());
    for (const { phone } of nodes) expect(phone.plane.state).toBe('SERVING');
  });

  test('a judge that was suspended waits before it judges', async () => {
    const nodes = await startFleet(2);
    nodes.forEach(openOn);
    await clock.advance(1_000);
    // Everything stands still for both, as on a host that was paused; all leases have run out when it goes on.
    await clock.suspend(30_000);
    await clock.advance(30_000);
    expect(declared(nodes)).toBe(0);
    expect(await nodes[0].phone.plane.directory.list()).toHaveLength(2);
  });

  test('a bus that has lost its store gets the directory again, and nobody is orphaned', async () => {
    const nodes = await startFleet(2);
    const ids = nodes.map(openOn).sort();
    await clock.advance(1_000);
    for (const name of ['leases', 'instances', 'sessions']) {
      const kv = bus.kv(`mp_v1_phone_${name}`, { ttlMs: 0 });
      for (const key of await kv.keys()) await kv.delete(key);
    }
    await clock.advance(60_000);
    expect((await nodes[0].phone.plane.directory.list()).map((entry) => entry.sessionId)).toEqual(ids);
    expect(await bus.kv('mp_v1_phone_sessions', { ttlMs: 0 }).size()).toBe(2);
    expect(declared(nodes)).toBe(0);
  });

  test('a survivor that dies while it judges is replaced', async () => {
    const nodes = await startFleet(3, {
      lostEvent: (lost) => {
        // The first survivor to come here is cut off before it has published anything.
        if (!cut) {
          cut = true;
          for (const { link, phone } of nodes) if (phone.plane.counters.instancesDeclaredLost > 0) link.cut();
        }
        return `closed ${lost.record}`;
      },
    });
    let cut = false;
    const ids = Array.from({ length: 250 }, () => openOn(nodes[1]));
    await clock.advance(1_000);
    const seen = nodes.map(({ phone }) => collect(phone));
    nodes[1].link.cut();
    await clock.advance(60_000);
    const survivor = nodes.findIndex(({ link, phone }) => link.state === 'connected' && phone !== nodes[1].phone);
    const ended = new Set(seen[survivor].lines().filter((line) => line.startsWith('closed')));
    expect(ended.size).toBe(ids.length);
    expect(await nodes[survivor].phone.plane.directory.list()).toEqual([]);
    for (const watch of seen) watch.stop();
  });

  test('one that stops with sessions left has them declared lost', async () => {
    const [a, b] = await startFleet(2);
    openOn(b);
    await clock.advance(1_000);
    const stopped = b.phone.plane.stop();
    await clock.advance(20_000);
    await stopped;
    await clock.advance(40_000);
    expect(a.phone.plane.counters.sessionsDeclaredLost).toBe(1);
  });
});
