import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NetError } from './errors.ts';
import { createUdpSockets } from './implementation.ts';
import type { UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { DgramUdpSockets } from './dgram-udp-sockets.ts';
import { PortPool } from './port-pool.ts';
import type { PortPair, PortPoolOptions } from './port-pool.ts';

/** A host whose ports are a set: what this pool holds, and what other processes hold. */
class FakeHost implements UdpSockets {
  readonly capabilities = new DgramUdpSockets().capabilities;
  readonly bound = new Set<number>();
  readonly foreign = new Set<number>();
  failure: NetError | undefined;
  #lastId = 0;

  async open({ address, port }: UdpSocketOptions): Promise<UdpSocketHandle> {
    if (this.failure) throw this.failure;
    if (this.bound.has(port) || this.foreign.has(port)) throw new NetError('address-in-use', `port ${port}`);
    this.bound.add(port);
    const sizes = { receiveBufferBytes: 0, sendBufferBytes: 0 };
    return { id: ++this.#lastId, implementation: 'dgram', fd: -1, address, port, dscp: 0, ...sizes };
  }

  close({ port }: UdpSocketHandle): void {
    expect(this.bound.delete(port)).toBe(true);
  }

  kernelDrops(): number {
    return -1;
  }
}

function pool(options: Partial<PortPoolOptions> = {}): { host: FakeHost; clock: { ms: number }; ports: PortPool } {
  const host = new FakeHost();
  const clock = { ms: 0 };
  const defaults = { sockets: host, minPort: 10_000, maxPort: 10_007, random: () => 0.5, nowMs: () => clock.ms };
  return { host, clock, ports: new PortPool({ ...defaults, ...options }) };
}

const exhausted = expect.objectContaining({ code: 'ports-exhausted' });

describe('PortPool', () => {
  test('gives RTP an even port of the range and RTCP the next', async () => {
    const { ports, host } = pool({ minPort: 10_001, maxPort: 10_006 });
    expect(ports.size).toBe(2);
    const pairs = [await ports.acquire('127.0.0.1'), await ports.acquire('127.0.0.1')];
    expect(pairs.map((pair) => pair.rtp.port).sort()).toEqual([10_002, 10_004]);
    for (const { rtp, rtcp } of pairs) expect(rtcp.port).toBe(rtp.port + 1);
    expect([...host.bound].sort()).toEqual([10_002, 10_003, 10_004, 10_005]);
    await expect(ports.acquire('127.0.0.1')).rejects.toEqual(exhausted);
  });

  test('the default range holds 10,000 pairs, whose order depends on the random numbers', async () => {
    const first = async (random: () => number): Promise<number> => {
      const { host } = pool();
      return (await new PortPool({ sockets: host, random, nowMs: () => 0 }).acquire('::1')).rtp.port;
    };
    const { host } = pool();
    expect(new PortPool({ sockets: host, random: Math.random, nowMs: () => 0 }).size).toBe(10_000);
    expect(await first(() => 0)).not.toBe(await first(() => 0.7));
  });

  test('a released pair rests, then the one released longest ago comes first', async () => {
    const { ports, clock } = pool({ quietMs: 2000 });
    const pairs: PortPair[] = [];
    for (let index = 0; index < 4; index++) pairs.push(await ports.acquire('127.0.0.1'));
    for (const index of [2, 0]) {
      clock.ms += 10;
      ports.release(pairs[index]);
    }
    expect(ports).toMatchObject({ used: 2, available: 0 });
    clock.ms = 2009;
    await expect(ports.acquire('127.0.0.1')).rejects.toEqual(exhausted);
    clock.ms = 2010;
    expect(ports.available).toBe(1);
    clock.ms = 2020;
    expect((await ports.acquire('127.0.0.1')).rtp.port).toBe(pairs[2].rtp.port);
    expect((await ports.acquire('127.0.0.1')).rtp.port).toBe(pairs[0].rtp.port);
  });

  test('passes over a pair of which somebody else holds either port, and tries it again later', async () => {
    const { ports, host, clock } = pool({ quietMs: 100 });
    for (const port of [10_000, 10_003, 10_004]) host.foreign.add(port);
    expect((await ports.acquire('127.0.0.1')).rtp.port).toBe(10_006);
    await expect(ports.acquire('127.0.0.1')).rejects.toEqual(exhausted);
    expect([...host.bound]).toEqual([10_006, 10_007]);
    host.foreign.clear();
    clock.ms = 100;
    expect(ports.available).toBe(3);
    for (let index = 0; index < 3; index++) await ports.acquire('127.0.0.1');
  });

  test('another refusal is thrown as it is and costs no pair', async () => {
    const { ports, host } = pool();
    host.failure = new NetError('too-many-files', 'EMFILE');
    await expect(ports.acquire('127.0.0.1')).rejects.toBe(host.failure);
    expect(ports).toMatchObject({ used: 0, available: 4 });
  });

  test('releasing twice does not free the next holder of the pair', async () => {
    const { ports, host } = pool({ minPort: 10_000, maxPort: 10_001, quietMs: 0 });
    const old = await ports.acquire('127.0.0.1');
    ports.release(old);
    const next = await ports.acquire('127.0.0.1');
    ports.release(old);
    expect(next.rtp.port).toBe(old.rtp.port);
    expect(host.bound.size).toBe(2);
  });

  test('gives up on a host that is all taken after a bounded number of tries', async () => {
    const { ports, host } = pool({ maxPort: 29_999 });
    for (let port = 10_000; port < 30_000; port++) host.foreign.add(port);
    await expect(ports.acquire('127.0.0.1')).rejects.toEqual(exhausted);
    expect(ports.available).toBe(10_000 - 128);
  });

  test.each([
    [{ minPort: 0 }, 'minPort 0'],
    [{ maxPort: 65_536 }, 'maxPort 65536'],
    [{ minPort: 10_001, maxPort: 10_002 }, 'ports 10001 to 10002'],
    [{ quietMs: -1 }, 'quietMs -1'],
  ])('refuses %j', (options, named) => {
    expect(() => pool(options)).toThrow(named);
  });

  test('agrees with a model over any order of acquire, release, time and other processes', async () => {
    const command = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'acquire' as const, value: 0 }) },
      { weight: 3, arbitrary: fc.nat(20).map((value) => ({ kind: 'release' as const, value })) },
      fc.nat(80).map((value) => ({ kind: 'wait' as const, value })),
      fc.integer({ min: 10_000, max: 10_011 }).map((value) => ({ kind: 'foreign' as const, value })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 80 }), async (commands) => {
        const { ports, host, clock } = pool({ maxPort: 10_011, quietMs: 100 });
        const held: PortPair[] = [];
        const releasedAt = new Map<number, number>();
        for (const { kind, value } of commands) {
          if (kind === 'wait') clock.ms += value;
          if (kind === 'foreign' && !host.bound.has(value) && !host.foreign.delete(value)) host.foreign.add(value);
          if (kind === 'release' && held.length > 0) {
            const [pair] = held.splice(value % held.length, 1);
            ports.release(pair);
            releasedAt.set(pair.rtp.port, clock.ms);
          }
          if (kind === 'acquire') {
            const taken = new Set(host.bound);
            const pair = await ports.acquire('127.0.0.1').catch(() => undefined);
            if (!pair) continue;
            const { port } = pair.rtp;
            for (const one of [port, port + 1]) expect(taken.has(one) || host.foreign.has(one)).toBe(false);
            expect(clock.ms - (releasedAt.get(port) ?? -Infinity)).toBeGreaterThanOrEqual(100);
            held.push(pair);
          }
          expect(ports.used).toBe(held.length);
          expect(host.bound.size).toBe(2 * held.length);
          expect(ports.available).toBeLessThanOrEqual(ports.size - held.length);
        }
        // Nothing is lost: given time and room, every pair can be had.
        held.forEach((pair) => ports.release(pair));
        host.foreign.clear();
        clock.ms += 100;
        expect(ports.available).toBe(ports.size);
      }),
    );
  });

  test.each(['native', 'dgram'] as const)('two %s pools share one host and one range', async (implementation) => {
    const sockets = createUdpSockets(implementation);
    // Below the ephemeral ports; what others hold is passed over.
    const minPort = 10_000 + 2 * Math.floor(Math.random() * 5000);
    const options = { sockets, minPort, maxPort: minPort + 399, random: Math.random, nowMs: () => 0 };
    const pools = [new PortPool(options), new PortPool(options)];
    const pairs: PortPair[] = [];
    for (let index = 0; index < 100; index++) pairs.push(await pools[index % 2].acquire('127.0.0.1'));
    if (implementation === 'native') expect(new Set(pairs.map((pair) => pair.rtp.port)).size).toBe(100);
    pairs.forEach((pair, index) => pools[index % 2].release(pair));
    expect(pools.map(({ used }) => used)).toEqual([0, 0]);
  });
});
