import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BridgeKind, ChannelView, CloseReason, Direction } from '@mediaplane/proto';
import { findTone, tempFolder } from '@mediaplane/testkit';
import { dial, EVENTS, PCMA, PCMU, tone } from './support/caller.ts';
import { Follower } from './support/follower.ts';
import { startInstance } from './support/instance.ts';
import type { Instance } from './support/instance.ts';

describe('channels of one instance', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let instance: Instance;
  let follower: Follower;

  beforeAll(async () => {
    folder = await tempFolder('channel');
    instance = await startInstance(folder.path);
    follower = new Follower((signal) => instance.channels.watchChannels({}, { signal }));
  }, 30_000);
  afterAll(async () => {
    follower.stop();
    await instance[Symbol.asyncDispose]();
    await folder.remove();
  });

  const closed = async (channelId: string) => {
    const { event } = await follower.until((each) => each.channelId === channelId && each.detail?.$case === 'closed');
    return event.detail?.$case === 'closed' ? event.detail.value.record : undefined;
  };
  const eventsOf = (channelId: string) =>
    follower.events.filter(({ event }) => event.channelId === channelId).map(({ event }) => event);

  test('echo: packets come back under the channel’s own SSRC; events are numbered, `closed` comes last', async () => {
    const { channels } = instance;
    await using caller = await dial(instance, { echo: true, labels: { call: '1' } });
    await caller.phone.waitForPackets(50);
    expect([...caller.phone.timeline.streams.keys()]).toEqual([caller.channel.local?.ssrc]);
    const { channel } = await channels.getChannel({ channelId: caller.channelId, view: ChannelView.STATS });
    expect(channel?.statistics?.received).toMatchObject({ lostPackets: 0, payloadType: 0, ssrc: caller.phone.ssrc });
    expect(channel?.statistics?.received?.packets).toBeGreaterThanOrEqual(50);
    expect(channel?.statistics?.received?.mos).toBeGreaterThan(4);
    expect(channel?.latch?.rtpSource).toEqual({ address: caller.phone.address, port: caller.phone.port });

    const { record } = await channels.closeChannel({ channelId: caller.channelId, reasonText: 'hung up' });
    expect(record).toMatchObject({ reason: CloseReason.REQUESTED, text: 'hung up', labels: { call: '1' } });
    expect(record?.statistics?.sent?.packets).toBeGreaterThanOrEqual(50);
    const again = await channels.closeChannel({ channelId: caller.channelId });
    expect(again.record).toEqual(record);

    expect(await closed(caller.channelId)).toEqual(record);
    const events = eventsOf(caller.channelId);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
    expect(events[0].detail?.$case).toBe('opened');
    expect(events.map(({ detail }) => detail?.$case)).toContain('mediaStarted');
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
    expect(events.every(({ labels }) => labels['call'] === '1')).toBe(true);
    const line = await instance.process.waitForJson(
      (entry) => entry['msg'] === 'channel closed' && entry['channelId'] === caller.channelId,
    );
    expect(line).toMatchObject({ reason: 'requested', labels: { call: '1' } });
    await expect(channels.getChannel({ channelId: caller.channelId })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'CHANNEL_NOT_FOUND',
    });
  });

  test('one update does what a re-INVITE changes', async () => {
    const { channels } = instance;
    await using caller = await dial(instance, { echo: true, latch: { mode: 1 } });
    await using other = await dial(instance);
    await caller.phone.waitForPackets(5);
    const { channel } = await channels.updateChannel({
      channelId: caller.channelId,
      settings: {
        remote: { address: other.phone.address, rtpPort: other.phone.port },
        codecs: { receive: [PCMU, PCMA] },
        direction: Direction.SENDONLY,
        labels: { leg: 'b' },
      },
    });
    expect(channel?.settings).toMatchObject({
      remote: { rtpPort: other.phone.port, rtcpPort: other.phone.port + 1 },
      codecs: { send: PCMU, receive: [PCMU, PCMA] },
      direction: Direction.SENDONLY,
      echo: true,
      labels: { leg: 'b' },
    });
    const { event } = await follower.until(
      (each) => each.channelId === caller.channelId && each.detail?.$case === 'updated',
    );
    expect(event.detail).toMatchObject({ value: { updatedPaths: ['remote', 'codecs', 'direction', 'labels'] } });
    // Nothing is changed by a request that is refused in one part.
    await expect(
      channels.updateChannel({
        channelId: caller.channelId,
        settings: { echo: true, labels: { leg: 'c' }, latch: { windowMs: -1 } },
      }),
    ).rejects.toMatchObject({ fieldViolations: [{ field: 'settings.latch.window_ms' }] });
    const after = await channels.getChannel({ channelId: caller.channelId });
    expect(after.channel?.settings?.labels).toEqual({ leg: 'b' });
  });

  test('two parties hear each other through a bridge that transcodes, and again when the codecs agree', async () => {
    const { channels } = instance;
    await using alice = await dial(instance, { codecs: { receive: [PCMU, EVENTS] } }, { codec: 'PCMU', seed: 11 });
    await using bob = await dial(instance, { codecs: { receive: [PCMA, EVENTS] } }, { codec: 'PCMA', seed: 12 });
    const bridged = await channels.bridgeChannels({ channelId: alice.channelId, peerChannelId: bob.channelId });
    expect(bridged.channel?.peerChannelId).toBe(bob.channelId);
    expect(bridged.peerChannel?.peerChannelId).toBe(alice.channelId);
    const kinds = (channelId: string) =>
      eventsOf(channelId).flatMap(({ detail }) => (detail?.$case === 'bridged' ? [detail.value.kind] : []));
    for (const { channelId } of [alice, bob]) {
      await follower.until((each) => each.channelId === channelId && each.detail?.$case === 'bridged');
    }
    expect([kinds(alice.channelId), kinds(bob.channelId)]).toEqual([[BridgeKind.TRANSCODE], [BridgeKind.TRANSCODE]]);

    void alice.phone.play(tone(700, 1000));
    await bob.phone.waitFor((phone) => findTone(phone.heard(), 8000, 700) !== null);
    expect([...bob.phone.timeline.streams.keys()]).toEqual([bob.channel.local?.ssrc]);
    await bob.phone.sendDigits('7');
    await alice.phone.waitForDigits('7');

    const repeated = await channels.bridgeChannels({ channelId: bob.channelId, peerChannelId: alice.channelId });
    expect(repeated.channel?.peerChannelId).toBe(alice.channelId);
    await channels.updateChannel({
      channelId: bob.channelId,
      settings: { codecs: { receive: [PCMU, PCMA, EVENTS] } },
    });
    await follower.until(
      (each) =>
        each.channelId === alice.channelId &&
        each.detail?.$case === 'bridged' &&
        each.detail.value.kind === BridgeKind.RELAY,
    );

    await channels.closeChannel({ channelId: bob.channelId });
    await follower.until((each) => each.channelId === alice.channelId && each.detail?.$case === 'unbridged');
    const { channel: left } = await channels.getChannel({ channelId: alice.channelId });
    expect(left).toMatchObject({ peerChannelId: '' });
  });

  test('bridges that cross do not wait for each other, and leave pairs', async () => {
    const { channels } = instance;
    const opened = await channels.batchOpenChannels({ requests: Array.from({ length: 4 }, () => ({})) });
    const ids = opened.channels.map(({ channelId }) => channelId);
    const bridge = (a: number, b: number) =>
      channels.bridgeChannels({ channelId: ids[a], peerChannelId: ids[b] }, { timeoutMs: 10_000 });
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b !== a).map((b) => [a, b] as const));
    await Promise.all([...pairs, ...pairs].map(([a, b]) => bridge(a, b)));
    const peers = new Map<string, string>();
    for (const channelId of ids) {
      const { channel } = await channels.getChannel({ channelId });
      peers.set(channelId, channel?.peerChannelId ?? '');
    }
    for (const [channelId, peer] of peers) if (peer !== '') expect(peers.get(peer)).toBe(channelId);
    expect([...peers.values()].filter((peer) => peer !== '').length).toBeGreaterThanOrEqual(2);
    await Promise.all(ids.map((channelId) => channels.closeChannel({ channelId })));
  });

  test('a batch is all or nothing, and shares an instance', async () => {
    const { channels } = instance;
    await expect(
      channels.batchOpenChannels({ requests: [{}, { settings: { remote: { address: 'x', rtpPort: 1 } } }] }),
    ).rejects.toMatchObject({ fieldViolations: [{ field: 'requests[1].settings.remote.address' }] });
    await expect(channels.openChannel({ nearChannelId: 'x' })).rejects.toMatchObject({
      fieldViolations: [{ field: 'near_channel_id' }],
    });
    await expect(channels.batchOpenChannels({})).rejects.toMatchObject({ fieldViolations: [{ field: 'requests' }] });
    const labels = { batch: 'yes' };
    const { channels: legs } = await channels.batchOpenChannels({
      requests: [{ settings: { labels } }, { settings: { labels } }],
    });
    expect(legs).toHaveLength(2);
    const closing = await channels.batchCloseChannels({ filter: 'labels.batch = "yes"', reasonText: 'restart' });
    expect(closing).toEqual({ closedCount: 2, failedChannelIds: [] });
    expect(await closed(legs[1].channelId)).toMatchObject({ text: 'restart' });
    await expect(channels.batchCloseChannels({ filter: ' ' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a repeated request id opens one channel', async () => {
    const { channels } = instance;
    const request = { requestId: 'open-1', settings: { labels: { once: '' } } };
    const [first, second] = await Promise.all([channels.openChannel(request), channels.openChannel(request)]);
    expect(second.channel?.channelId).toBe(first.channel?.channelId);
    await expect(channels.openChannel({ ...request, settings: {} })).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    await expect(channels.openChannel({ requestId: 'x'.repeat(65) })).rejects.toMatchObject({
      fieldViolations: [{ field: 'request_id' }],
    });
    const { closedCount } = await channels.batchCloseChannels({ filter: 'labels.once:*' });
    expect(closedCount).toBe(1);
  });

  test('what ends a channel by itself', async () => {
    const { channels } = instance;
    const open = async (settings: object) => (await channels.openChannel({ settings })).channel?.channelId ?? '';
    const [limited, leased, silent, held, renewed] = await Promise.all([
      open({ maxDurationMs: 300 }),
      open({ controllerLeaseMs: 1000 }),
      open({ idle: { noRemoteTimeoutMs: 300 } }),
      open({ direction: Direction.INACTIVE, idle: { holdTimeoutMs: 300 } }),
      open({ controllerLeaseMs: 1500 }),
    ]);
    const renewing = setInterval(() => void channels.updateChannel({ channelId: renewed }), 200);
    try {
      expect(await closed(limited)).toMatchObject({ reason: CloseReason.MAX_DURATION });
      expect(await closed(silent)).toMatchObject({ reason: CloseReason.RTP_IDLE_TIMEOUT });
      expect(await closed(held)).toMatchObject({ reason: CloseReason.RTP_IDLE_TIMEOUT });
      const expired = await closed(leased);
      expect(expired).toMatchObject({ reason: CloseReason.CONTROLLER_LEASE_EXPIRED });
      expect(expired?.durationMs).toBeGreaterThanOrEqual(1000);
      const { channel } = await channels.getChannel({ channelId: renewed });
      expect(channel?.leaseExpireTime?.getTime()).toBeGreaterThan(Date.now());
    } finally {
      clearInterval(renewing);
      await channels.closeChannel({ channelId: renewed });
    }
  });

  test('a watch goes on from its token, filtered', async () => {
    const { channels } = instance;
    const { channel } = await channels.openChannel({ settings: { labels: { watched: 'a' } } });
    const channelId = channel?.channelId ?? '';
    const cases = async (resumeToken: string, until: string, filter = 'labels.watched = "a"') => {
      const seen: string[] = [];
      for await (const response of channels.watchChannels({ resumeToken, filter })) {
        const { item } = response;
        const name = item?.$case === 'event' ? (item.value.detail?.$case ?? '') : (item?.$case ?? '');
        seen.push(name);
        if (name === until) return { seen, token: response.resumeToken };
      }
      throw new Error('the watch ended');
    };
    await follower.until((each) => each.channelId === channelId && each.detail?.$case === 'opened');
    const snapshot = await cases('', 'snapshotEnd');
    expect(snapshot.seen).toEqual(['channel', 'snapshotEnd']);
    await channels.updateChannel({ channelId, settings: { echo: true } });
    await channels.closeChannel({ channelId });
    const updated = await cases(snapshot.token, 'updated');
    expect(updated.seen).toEqual(['updated']);
    expect((await cases(updated.token, 'closed')).seen).toEqual(['closed']);
    expect((await cases(snapshot.token, 'closed')).seen).toEqual(['updated', 'closed']);
    expect((await cases('', 'snapshotEnd')).seen).toEqual(['snapshotEnd']);
    const watch = channels.watchChannels({ heartbeatMs: 1000, filter: 'labels.nobody:*' });
    for await (const { item } of watch) if (item?.$case === 'heartbeat') break;
    await expect(cases('nonsense', 'x')).rejects.toMatchObject({ code: expect.stringMatching(/INVALID|OUT_OF/) });
    await expect(cases('', 'x', 'nonsense')).rejects.toMatchObject({ fieldViolations: [{ field: 'filter' }] });
  });
});
