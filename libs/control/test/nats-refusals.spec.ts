import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { startNatsServer, tempFolder } from '@mediaplane/testkit';
import type { NatsServer } from '@mediaplane/testkit';
import type { StreamOptions } from '../src/bus/bus.ts';
import { NatsBus } from '../src/bus/nats-bus.ts';

const limits = { maxAgeMs: 3_600_000, maxBytes: 1_000_000 };
const events: StreamOptions = { subjects: ['s.>'], ...limits };

describe('what a NATS server refuses for good is not UNAVAILABLE', () => {
  let server: NatsServer;
  let admin: NatsConnection;
  let bus: NatsBus;

  const start = async (configuration = ''): Promise<void> => {
    const folder = await tempFolder('nats-refusals');
    const file = join(folder.path, 'nats.conf');
    await writeFile(file, configuration);
    server = await startNatsServer({ args: ['--config', file] });
    await folder.remove();
    admin = await connect({ servers: [server.url], user: 'admin', pass: 'x' });
    bus = await NatsBus.connect({ servers: [server.url], name: 'test', user: 'user', pass: 'x' });
  };
  afterEach(async () => {
    await bus.close();
    await admin.close();
    await server.stop();
  });

  describe('by its streams', () => {
    beforeEach(() => start());

    test('a message that is too large', async () => {
      const manager = await jetstreamManager(admin);
      await manager.streams.add({ name: 's', subjects: ['s.>'], max_msg_size: 100 });
      await expect(bus.stream('s', events).publish('s.x', new Uint8Array(200))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'MESSAGE_TOO_LARGE',
      });
    });

    test('a bucket that is full', async () => {
      const manager = await jetstreamManager(admin);
      const bucket = { name: 'KV_b', subjects: ['$KV.b.>'], max_bytes: 2_000, discard: DiscardPolicy.New };
      await manager.streams.add({ ...bucket, allow_rollup_hdrs: true, max_msgs_per_subject: 1 });
      const fill = async (): Promise<void> => {
        const kv = bus.kv('b', { ttlMs: 0 });
        for (let i = 0; i < 10; i++) await kv.put(`k.${i}`, new Uint8Array(500));
      };
      await expect(fill()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'BUS_FULL' });
    });

    test('a configuration that it cannot have', async () => {
      const replicated = await NatsBus.connect({ servers: [server.url], name: 'replicated', replicas: 3 });
      await expect(replicated.stream('s', events).info()).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'BUS_MISCONFIGURED',
      });
      await replicated.close();
      await bus.stream('s', events).info();
      await expect(bus.stream('other', events).info()).rejects.toMatchObject({ reason: 'BUS_MISCONFIGURED' });
    });

    test('but a stream or bucket that is gone is made again', async () => {
      const stream = bus.stream('s', events);
      const kv = bus.kv('b', { ttlMs: 0 });
      const manager = await jetstreamManager(admin);
      for (let life = 0; life < 2; life++) {
        expect(await stream.publish('s.x', new Uint8Array(0))).toBe(1);
        expect(await kv.put('k', new Uint8Array(0))).toBe(1);
        await manager.streams.delete('s');
        await manager.streams.delete('KV_b');
      }
    });
  });

  test('what the user may not do', async () => {
    await start(`
      authorization { users: [
        { user: admin, password: x }
        { user: user, password: x, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>", "s.denied"] } } }
      ] }`);
    const denied = { code: 'PERMISSION_DENIED', reason: 'BUS_PERMISSION' };
    await expect(bus.kv('b', { ttlMs: 0 }).get('k')).rejects.toMatchObject(denied);
    const manager = await jetstreamManager(admin);
    await manager.streams.add({ name: 's', subjects: ['s.>'] });
    const stream = bus.stream('s', events);
    await expect(stream.publish('s.denied', new Uint8Array(0))).rejects.toMatchObject(denied);
  });
});
