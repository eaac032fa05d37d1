import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { freePort, tempFolder } from '@mediaplane/testkit';
import { startInstance } from './support/instance.ts';
import type { Instance } from './support/instance.ts';

const { LinkState, SchedulingMode, UplinkView } = srtla;

/** Until the instance has an uplink that looks so. */
async function uplinkOf(
  { gateway }: Instance,
  name: string,
  look: (uplink: srtla.Uplink) => boolean,
): Promise<srtla.Uplink> {
  const limit = AbortSignal.timeout(20_000);
  for (;;) {
    const { uplinks } = await gateway.listUplinks({});
    const found = uplinks.find(({ settings }) => settings?.name === name);
    if (found !== undefined && look(found)) return found;
    limit.throwIfAborted();
  }
}

const isUp = ({ links }: srtla.Uplink): boolean => links.some(({ state }) => state === LinkState.UP);

async function dataOf({ gateway }: Instance, uplinkId: string): Promise<number> {
  const { uplink } = await gateway.getUplink({ uplinkId, view: UplinkView.STATS });
  return uplink?.statistics?.links[0]?.dataBytes ?? 0;
}

test('an uplink made by call is there again after a restart: settings, port, and what its links have carried', async () => {
  await using stack = new AsyncDisposableStack();
  const receiving = stack.use(await tempFolder('receiving'));
  const sending = stack.use(await tempFolder('sending'));
  const receiver = stack.use(await startInstance(receiving.path));
  const { listener } = await receiver.gateway.createListener({
    settings: {
      name: 'main',
      ingest: { policy: { $case: 'fixed', value: { host: '127.0.0.1', port: await freePort() } } },
    },
  });
  let sender = await startInstance(sending.path);
  stack.defer(() => sender[Symbol.asyncDispose]());
  const link = { address: '127.0.0.2', name: 'lte1', cost: 3, capBytes: 10_000_000 };
  const { uplink: created } = await sender.gateway.createUplink({
    settings: {
      name: 'van',
      receiverHost: 'localhost',
      receiverPort: listener?.address?.port ?? 0,
      links: [link, { address: '127.0.0.3' }],
      labels: { van: '1' },
    },
  });
  const uplinkId = created?.uplinkId ?? '';
  await sender.gateway.updateUplink({
    uplinkId,
    settings: { mode: SchedulingMode.CLASSIC },
    updateMask: ['mode'],
  });
  await sender.gateway.removeLink({ uplinkId, linkName: '127.0.0.3' });
  await uplinkOf(sender, 'van', isUp);
  const before = await dataOf(sender, uplinkId);
  expect(before).toBeGreaterThan(0);
  // As Kubernetes ends it.
  await sender.process.stop();
  sender = await startInstance(sending.path);

  const uplink = await uplinkOf(sender, 'van', isUp);
  expect(uplink).toMatchObject({
    formerUplinkId: uplinkId,
    configured: false,
    listen: created?.listen,
    settings: { mode: SchedulingMode.CLASSIC, links: [link], labels: { van: '1' } },
  });
  expect(await dataOf(sender, uplink.uplinkId)).toBeGreaterThan(before);

  await sender.gateway.deleteUplink({ uplinkId: uplink.uplinkId });
  await sender.process.stop();
  sender = await startInstance(sending.path);
  expect((await sender.gateway.listUplinks({})).uplinks).toEqual([]);
}, 60_000);

test('uplinks of the configuration are there from the start, wait for their port, and cannot be deleted by call', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder('sending'));
  const holder = createSocket('udp4').bind(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address();
  const van = { name: 'van', listenPort: port, receiver: '127.0.0.1:9', mode: 'classic' };
  const boat = { name: 'boat', receiver: '127.0.0.1:9', links: [{ device: 'lo', priority: 0.5 }] };
  const start = (uplinks: object[]) =>
    startInstance(folder.path, { MEDIAPLANE_UPLINKS: JSON.stringify(uplinks), MEDIAPLANE_DRAIN_GRACE_MS: '600000' });
  let instance = await start([van, boat]);
  stack.defer(() => instance[Symbol.asyncDispose]());
  const uplink = await uplinkOf(instance, 'boat', () => true);
  expect(uplink).toMatchObject({
    configured: true,
    settings: { mode: SchedulingMode.ENHANCED, links: [{ device: 'lo', priority: 0.5 }] },
  });
  await expect(instance.gateway.deleteUplink({ uplinkId: uplink.uplinkId })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'UPLINK_CONFIGURED',
  });
  const rival = { name: 'van', receiverHost: '127.0.0.1', receiverPort: 9 };
  await expect(instance.gateway.createUplink({ settings: rival })).rejects.toMatchObject({ reason: 'UPLINK_EXISTS' });
  const taken = { ...rival, name: 'raft', listenPort: port };
  await expect(instance.gateway.createUplink({ settings: taken })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'PORT_UNAVAILABLE',
  });
  expect((await instance.gateway.listUplinks({})).uplinks).toHaveLength(1);
  holder.close();
  expect(await uplinkOf(instance, 'van', () => true)).toMatchObject({
    listen: { port },
    settings: { mode: SchedulingMode.CLASSIC },
  });

  // Without an encoder they hold nothing back, however long the grace is.
  await instance.process.stop();
  instance = await start([van]);
  expect(await uplinkOf(instance, 'van', () => true)).toMatchObject({ configured: true, listen: { port } });
  expect((await instance.gateway.listUplinks({})).uplinks).toHaveLength(1);
}, 60_000);
