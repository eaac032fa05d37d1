import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CloseReason, type Channel, type ChannelEvent } from '@mediaplane/proto';
import { RtpPhone, startNatsServer, tempFolder, type NatsServer } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { Follower } from './support/follower.ts';
import { startInstance, type Instance } from './support/instance.ts';

/** Ids of all channels that match, over all pages. */
async function list({ channels }: Instance, filter = ''): Promise<string[]> {
  const seen: string[] = [];
  for (let pageToken = '', more = true; more;) {
    const page = await channels.listChannels({ pageSize: 5, pageToken, filter });
    seen.push(...page.channels.map(({ channelId }) => channelId));
    pageToken = page.nextPageToken;
    more = pageToken !== '';
  }
  return seen;
}

/** The directory is written behind: a list of another instance's channels lags by a moment. */
async function listed(instance: Instance, filter: string, enough: (ids: string[]) => boolean): Promise<void> {
  while (!enough(await list(instance, filter)));
}

const closedEvent = (channelId: string) => (event: ChannelEvent) =>
  event.channelId === channelId && event.detail?.$case === 'closed';

function reasonOf(event: ChannelEvent): CloseReason | undefined {
  return event.detail?.$case === 'closed' ? event.detail.value.record?.reason : undefined;
}

describeIf('nats-server', 'three instances on a real NATS', () => {
  let nats: NatsServer;
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let instances: Instance[];
  const phones: RtpPhone[] = [];
  let nextPort = 40_000;

  const start = (): Promise<Instance> => {
    const min = nextPort;
    nextPort += 200;
    return startInstance(folder.path, {
      MEDIAPLANE_BUS_NATS_URL: nats.url,
      MEDIAPLANE_NET_RTP_PORT_MIN: String(min),
      MEDIAPLANE_NET_RTP_PORT_MAX: String(min + 199),
      MEDIAPLANE_LEASE_TTL_MS: '3000',
    });
  };

  const phone = async (): Promise<RtpPhone> => {
    const made = await RtpPhone.open();
    phones.push(made);
    return made;
  };

  const owner = (channel: Channel): Instance => {
    const found = instances.find(({ instanceId }) => instanceId === channel.instanceId);
    if (!found) throw new Error(`nobody owns ${channel.channelId}`);
    return found;
  };

  /** Opens channels through `via` until one is owned by `by`; the others are closed again. */
  const openOn = async (via: Instance, by: Instance, settings: object = {}): Promise<Channel> => {
    for (let i = 0; i < 200; i += 1) {
      const { channel } = await via.channels.openChannel({ settings });
      if (!channel) throw new Error('no channel');
      if (channel.instanceId === by.instanceId) return channel;
      await via.channels.closeChannel({ channelId: channel.channelId });
    }
    throw new Error('placement never chose that instance');
  };

  beforeAll(async () => {
    nats = await startNatsServer();
    folder = await tempFolder('fleet');
    instances = await Promise.all([start(), start(), start()]);
    // Everybody has to have heard of everybody.
    for (const { fleet } of instances) {
      for (let known = 0; known < 3;) {
        const { instances: list } = await fleet.listInstances({});
        known = list.length;
      }
    }
  }, 60_000);

  afterAll(async () => {
    for (const each of phones) await each.close();
    await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
    await nats.stop();
    await folder.remove();
  }, 30_000);

  test('opened through A, owned by B, commanded through C; media comes from B', async () => {
    const [a, b, c] = instances;
    const caller = await phone();
    const channel = await openOn(a, b, { remote: { address: caller.address, rtpPort: caller.port } });
    const { channel: updated } = await c.channels.updateChannel({
      channelId: channel.channelId,
      settings: { echo: true },
    });
    expect(updated?.settings?.echo).toBe(true);
    if (!channel.local) throw new Error('no local address');
    caller.call({ address: channel.local.address, port: channel.local.rtpPort });
    caller.start();
    await caller.waitForPackets(25);
    const { channel: seen } = await a.channels.getChannel({ channelId: channel.channelId, view: 2 });
    expect(seen?.statistics?.received?.packets).toBeGreaterThanOrEqual(25);
    await caller.stop();
    const { record } = await c.channels.closeChannel({ channelId: channel.channelId });
    expect(record?.reason).toBe(CloseReason.REQUESTED);
    await expect(a.channels.getChannel({ channelId: channel.channelId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('two legs on different instances are bridged by a private leg, and digits pass', async () => {
    const [a, b] = instances;
    const [alice, bob] = [await phone(), await phone()];
    const legA = await openOn(a, a, { remote: { address: alice.address, rtpPort: alice.port } });
    const legB = await openOn(a, b, { remote: { address: bob.address, rtpPort: bob.port } });
    await instances[2].channels.bridgeChannels({ channelId: legA.channelId, peerChannelId: legB.channelId });
    for (const [who, leg] of [
      [alice, legA],
      [bob, legB],
    ] as const) {
      if (!leg.local) throw new Error('no local address');
      who.call({ address: leg.local.address, port: leg.local.rtpPort });
      who.start();
    }
    await Promise.all([alice.waitForPackets(20), bob.waitForPackets(20)]);
    await alice.sendDigits('42');
    await bob.waitForDigits('42');
    await b.channels.closeChannel({ channelId: legA.channelId });
    const { channel: left } = await a.channels.getChannel({ channelId: legB.channelId });
    expect(left?.peerChannelId).toBe('');
    await a.channels.closeChannel({ channelId: legB.channelId });
    await Promise.all([alice.stop(), bob.stop()]);
  });

  test('a list from any instance shows the channels of all', async () => {
    const labels = { test: 'list' };
    const opened = await Promise.all(
      Array.from({ length: 12 }, (_, i) => instances[i % 3].channels.openChannel({ settings: { labels } })),
    );
    const ids = opened.map(({ channel }) => channel?.channelId).sort();
    for (const instance of instances) {
      await listed(instance, 'labels.test = "list"', (seen) => seen.length === ids.length);
      expect(await list(instance, 'labels.test = "list"')).toEqual(ids);
    }
    const { closedCount } = await instances[1].channels.batchCloseChannels({ filter: 'labels.test = "list"' });
    expect(closedCount).toBe(12);
  });

  test('SIGTERM drains an instance: its call goes on, no new one comes to it, it ends when the call does', async () => {
    const [a] = instances;
    const leaving = await start();
    const caller = await phone();
    const channel = await openOn(leaving, leaving, {
      remote: { address: caller.address, rtpPort: caller.port },
      echo: true,
    });
    if (!channel.local) throw new Error('no local address');
    caller.call({ address: channel.local.address, port: channel.local.rtpPort });
    caller.start();
    await caller.waitForPackets(10);
    leaving.process.signal('SIGTERM');
    await leaving.process.waitForJson((entry) => entry['state'] === 'DRAINING');
    await caller.waitForMorePackets(25);
    for (let i = 0; i < 10; i += 1) {
      const { channel: other } = await a.channels.openChannel({});
      expect(other?.instanceId).not.toBe(leaving.instanceId);
      await a.channels.closeChannel({ channelId: other?.channelId ?? '' });
    }
    expect(leaving.process.isRunning).toBe(true);
    await a.channels.closeChannel({ channelId: channel.channelId });
    expect(await leaving.process.exited).toMatchObject({ code: 0 });
    await caller.stop();
    await leaving[Symbol.asyncDispose]();
  }, 30_000);

  test('kill -9 of an instance that holds one leg of a call: the other is told, goes on, and can be bridged anew', async () => {
    const [a] = instances;
    const doomed = await start();
    const [alice, bob, carol] = [await phone(), await phone(), await phone()];
    const follower = new Follower((signal) => a.channels.watchChannels({}, { signal }));
    const call = async (who: RtpPhone, by: Instance): Promise<string> => {
      const { channelId, local } = await openOn(by, by, { remote: { address: who.address, rtpPort: who.port } });
      if (!local) throw new Error('no local address');
      who.call({ address: local.address, port: local.rtpPort });
      who.start();
      return channelId;
    };
    const [aliceLeg, bobLeg] = [await call(alice, a), await call(bob, doomed)];
    await a.channels.bridgeChannels({ channelId: aliceLeg, peerChannelId: bobLeg });
    await Promise.all([alice.waitForPackets(20), bob.waitForPackets(20)]);
    await doomed.process.kill();
    const { event } = await follower.until((e) => e.channelId === aliceLeg && e.detail?.$case === 'unbridged');
    expect(event.detail).toMatchObject({ value: { peerChannelId: bobLeg } });
    const { channel } = await a.channels.getChannel({ channelId: aliceLeg });
    expect(channel?.peerChannelId).toBe('');
    const carolLeg = await call(carol, a);
    await a.channels.bridgeChannels({ channelId: aliceLeg, peerChannelId: carolLeg });
    await Promise.all([alice.waitForMorePackets(20), carol.waitForPackets(20)]);
    await alice.sendDigits('7');
    await carol.waitForDigits('7');
    follower.stop();
    for (const channelId of [aliceLeg, carolLeg]) await a.channels.closeChannel({ channelId });
    await Promise.all([alice.stop(), bob.stop(), carol.stop()]);
    await doomed[Symbol.asyncDispose]();
  }, 30_000);

  test('kill -9 of the owner: a watch on another instance gets the closed events within 10 s', async () => {
    const [a, b] = instances;
    const doomed = [await openOn(a, b), await openOn(a, b)];
    const safe = await openOn(a, a);
    const ids = [...doomed, safe].map(({ channelId }) => channelId);
    await listed(a, '', (seen) => ids.every((id) => seen.includes(id)));
    const follower = new Follower((signal) => a.channels.watchChannels({}, { signal }));
    await a.channels.updateChannel({ channelId: safe.channelId, settings: { labels: { mark: '1' } } });
    await follower.until((event) => event.channelId === safe.channelId && event.detail?.$case === 'updated');
    expect(follower.snapshot.map(({ channelId }) => channelId)).toEqual(expect.arrayContaining(ids));
    const killedMs = performance.now();
    await b.process.kill();
    for (const { channelId } of doomed) {
      const { event, atMs } = await follower.until(closedEvent(channelId));
      expect(reasonOf(event)).toBe(CloseReason.INSTANCE_LOST);
      expect(atMs - killedMs).toBeLessThan(10_000);
      await expect(a.channels.getChannel({ channelId })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        reason: 'INSTANCE_LOST',
      });
    }
    follower.stop();
    expect(follower.events.some(({ event }) => closedEvent(safe.channelId)(event))).toBe(false);
    expect(owner(safe)).toBe(a);
    await a.channels.closeChannel({ channelId: safe.channelId });
  }, 30_000);
});
