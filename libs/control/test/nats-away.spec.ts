import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startNatsServer, startTcpLink } from '@mediaplane/testkit';
import type { NatsServer } from '@mediaplane/testkit';
import { NatsBus } from '../src/bus/nats-bus.ts';
import { ServiceError } from '../src/errors.ts';

const NOTHING = new Uint8Array(0);
const AWAY = { code: 'UNAVAILABLE', reason: 'BUS_AWAY' };

describe('NATS that goes away', () => {
  let server: NatsServer;
  let bus: NatsBus;

  beforeEach(async () => {
    server = await startNatsServer();
    bus = await NatsBus.connect({ servers: [server.url], name: 'test' });
  });
  afterEach(async () => {
    await bus.close();
    await server.stop();
  });

  const away = (of: NatsBus): Promise<void> =>
    new Promise((resolve) => of.onStateChange((state) => state === 'away' && resolve()));
  const connected = (of: NatsBus): Promise<void> =>
    new Promise((resolve) => of.onStateChange((state) => state === 'connected' && resolve()));

  test('calls in flight and later ones fail at once; all works again on return', async () => {
    const kv = bus.kv('b', { ttlMs: 0 });
    const stream = bus.stream('s', { subjects: ['s.>'], maxAgeMs: 3_600_000, maxBytes: 1_000_000 });
    await kv.put('k', NOTHING);
    await stream.publish('s.x', NOTHING);
    bus.respond('slow', () => new Promise(() => undefined));
    bus.respond('fast', async () => Uint8Array.of(7));
    const inFlight = expect(bus.request('slow', NOTHING, { timeoutMs: 60_000 })).rejects.toMatchObject(AWAY);
    const gone = away(bus);
    await server.halt('SIGKILL');
    await gone;
    await inFlight;
    const startedMs = performance.now();
    await expect(bus.request('fast', NOTHING, { timeoutMs: 60_000 })).rejects.toMatchObject(AWAY);
    await expect(kv.get('k')).rejects.toMatchObject(AWAY);
    await expect(stream.publish('s.x', NOTHING)).rejects.toMatchObject(AWAY);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    const back = connected(bus);
    await server.resume();
    await back;
    expect(await bus.request('fast', NOTHING, { timeoutMs: 5_000 })).toEqual(Uint8Array.of(7));
    expect((await kv.get('k'))?.revision).toBe(1);
    expect(await stream.publish('s.x', NOTHING)).toBe(2);
  });

  test('a server that falls silent is away after a few pings', async () => {
    const link = await startTcpLink(server.port);
    const lone = await NatsBus.connect({ servers: [`nats://127.0.0.1:${link.port}`], name: 'lone' });
    const gone = away(lone);
    link.cut();
    await gone;
    const back = connected(lone);
    link.heal();
    await back;
    await lone.close();
    await link.close();
  });

  test('a reader goes on where it was, without loss or repetition', async () => {
    const options = { subjects: ['s.>'], maxAgeMs: 3_600_000, maxBytes: 1_000_000 };
    const stream = bus.stream('s', options);
    for (let i = 0; i < 3; i++) await stream.publish('s.x', NOTHING);
    const done = new AbortController();
    const got: number[] = [];
    for await (const { sequence } of stream.read({ from: { sequence: 1 }, signal: done.signal })) {
      got.push(sequence);
      if (sequence === 3) {
        const gone = away(bus);
        await server.halt();
        await gone;
        const back = connected(bus);
        await server.resume();
        await back;
        for (let i = 0; i < 3; i++) await stream.publish('s.x', NOTHING);
      }
      if (sequence === 6) done.abort();
    }
    expect(got).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a server that has lost its store gets its streams and buckets again', async () => {
    const other = await NatsBus.connect({ servers: [server.url], name: 'other' });
    const kv = bus.kv('b', { ttlMs: 0, storage: 'memory' });
    await kv.put('k', NOTHING);
    const gone = away(bus);
    await server.halt('SIGKILL');
    await gone;
    const back = connected(bus);
    await server.resume();
    await back;
    expect(await kv.get('k')).toBeUndefined();
    expect(await kv.create('k', NOTHING)).toBe(1);
    await other.close();
  });

  test('what an instance of another version made with other limits is used all the same', async () => {
    const subjects = ['s.>'];
    await bus.kv('b', { ttlMs: 60_000 }).put('k', NOTHING);
    await bus.stream('s', { subjects, maxAgeMs: 3_600_000, maxBytes: 1_000_000 }).publish('s.x', NOTHING);
    const other = await NatsBus.connect({ servers: [server.url], name: 'other' });
    expect(await other.kv('b', { ttlMs: 90_000, history: 2 }).get('k')).toBeDefined();
    const stream = other.stream('s', { subjects, maxAgeMs: 1_800_000, maxBytes: 2_000_000 });
    expect(await stream.publish('s.x', NOTHING)).toBe(2);
    await other.close();
  });

  test('a server that is not there is reported with its address', async () => {
    const connecting = NatsBus.connect({ servers: ['nats://127.0.0.1:1'], name: 'x', connectTimeoutMs: 0 });
    const error: unknown = await connecting.catch((thrown: unknown) => thrown);
    expect(ServiceError.from(error)).toMatchObject({ code: 'UNAVAILABLE', reason: 'BUS_AWAY' });
    expect(ServiceError.from(error).message).toContain('nats://127.0.0.1:1');
  });
});
