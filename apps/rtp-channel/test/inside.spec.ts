import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { IP_TOS, socketOption } from '@mediaplane/native';
import { Direction, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { RtpChannel } from '../src/rtp-channel.ts';
import { startRtpChannel } from '../src/service-spec.ts';
import { dial } from './support/caller.ts';
import { Follower } from './support/follower.ts';

/** What no caller can bring about in time: one instance in this process, prodded from within. */
let service: RunningService;
let inside: RtpChannel;
let channels: ServiceClient<typeof RtpChannelServiceDefinition>;

beforeAll(async () => {
  const net = { rtpPortMin: 26_000, rtpPortMax: 27_999 };
  const values = { grpc: { port: 0 }, admin: { port: 0 }, media: { threads: 1 }, net };
  service = await startRtpChannel({ bus: new EmbeddedBus(), sources: { values }, logTo: { write: () => undefined } });
  inside = service.app.get(RtpChannel);
  channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
}, 30_000);
afterAll(async () => {
  channels[Symbol.dispose]();
  await service.stop('the tests are over', 0);
});

/** Settings as the service has made them whole. */
async function wholeSettings() {
  const { channel } = await channels.openChannel({});
  if (channel?.settings === undefined) throw new Error('no channel');
  await channels.closeChannel({ channelId: channel.channelId });
  return channel.settings;
}

test('a channel whose caller has given up is not there; one that was asked for with others neither', async () => {
  const settings = await wholeSettings();
  const { used } = inside.pool;
  const gaveUp = new AbortController();
  const opening = inside.channels.opening.open([settings, settings], '', gaveUp.signal);
  gaveUp.abort(new Error('gave up'));
  await expect(opening).rejects.toThrow('gave up');
  expect([inside.channels.count, inside.pool.used]).toEqual([0, used]);
  expect((await channels.listChannels({})).channels).toEqual([]);
});

test('a channel that is being opened while everything closes leaves nothing', async () => {
  const settings = await wholeSettings();
  const { used } = inside.pool;
  const { openedTotal } = inside.channels.opening;
  const opening = inside.channels.opening.open([settings], '');
  const refused = expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  await inside.channels.closeAll();
  await refused;
  expect([inside.channels.count, inside.pool.used]).toEqual([0, used]);
  expect((await channels.listChannels({})).channels).toEqual([]);
  expect(inside.channels.opening.openedTotal).toBe(openedTotal);
  // The next is opened: draining may have been called off.
  expect(await inside.channels.opening.open([settings], '')).toHaveLength(1);
  await inside.channels.closeAll();
  expect(inside.channels.count).toBe(0);
});

test('who was bridged with a channel whose session was lost sends to it no more, and can be bridged again', async () => {
  await using alice = await dial({ channels });
  await using bob = await dial({ channels });
  await channels.bridgeChannels({ channelId: alice.channelId, peerChannelId: bob.channelId });
  inside.channels.mediaEvents.onSessionLost(alice.channelId, 'a bug');
  while ((await channels.getChannel({ channelId: bob.channelId })).channel?.peerChannelId !== '');
  await channels.updateChannel({ channelId: bob.channelId, settings: { labels: { turn: 'after' } } });
  expect(await inside.media.command(bob.channelId, 'unbridge', null)).toEqual({ peerChannelId: null });
  await using carol = await dial({ channels });
  await channels.bridgeChannels({ channelId: carol.channelId, peerChannelId: bob.channelId });
  await carol.phone.waitForMorePackets(5);
  await inside.media.close(alice.channelId, null);
});

test('channels that a survivor has told the fleet of are ended in silence; the others hear that they are alone', async () => {
  const follower = new Follower((signal) => channels.watchChannels({}, { signal }));
  const { used } = inside.pool;
  await using alice = await dial({ channels });
  await using bob = await dial({ channels });
  const { channelId } = alice;
  await channels.bridgeChannels({ channelId, peerChannelId: bob.channelId });
  await channels.sendDtmf({ channelId, digits: '1234567890', digitMs: 500 });
  await inside.channels.closeOrphans([channelId, `${channelId.slice(0, -4)}aaaa`]);
  expect([inside.channels.count, inside.pool.used]).toEqual([1, used + 1]);
  await expect(channels.getChannel({ channelId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(inside.media.command(channelId, 'latch', null)).rejects.toMatchObject({ code: 'no-such-session' });
  await channels.updateChannel({ channelId: bob.channelId, settings: { echo: true } });
  await bob.phone.waitForPackets(10);
  await channels.closeChannel({ channelId: bob.channelId });
  await follower.until((event) => event.channelId === bob.channelId && event.detail?.$case === 'closed');
  const told = (id: string) =>
    follower.events.filter(({ event }) => event.channelId === id).map(({ event }) => event.detail?.$case);
  expect(told(bob.channelId)).toContain('unbridged');
  expect(told(channelId)).toContain('bridged');
  expect(
    told(channelId).filter((kind) => kind === 'unbridged' || kind === 'dtmfFinished' || kind === 'closed'),
  ).toEqual([]);
  follower.stop();
});

test('the system marks what a channel sends as expedited forwarding (RFC 3246), RTP and RTCP', async () => {
  const { channel } = await channels.openChannel({});
  const channelId = channel?.channelId ?? '';
  const { rtp, rtcp } = inside.channels.table.require(channelId).ports;
  for (const { implementation, dscp, fd } of [rtp, rtcp]) {
    expect(dscp).toBe(implementation === 'native' ? 46 : 0);
    if (implementation === 'native') expect(socketOption(fd, IP_TOS)).toBe(46 << 2);
  }
  await channels.closeChannel({ channelId });
});

test('digits that cannot be sent are refused: against the direction, or behind too many others', async () => {
  await using caller = await dial({ channels });
  const { channelId } = caller;
  await channels.updateChannel({ channelId, settings: { direction: Direction.RECVONLY } });
  await expect(channels.sendDtmf({ channelId, digits: '1' })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'DIRECTION_DOES_NOT_SEND',
  });
  await channels.updateChannel({ channelId, settings: { direction: Direction.SENDONLY } });
  const run = { channelId, digits: '1', digitMs: 5000 };
  for (let sent = 0; sent < 16; sent++) await channels.sendDtmf(run);
  await expect(channels.sendDtmf(run)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_MANY_DTMF_RUNS',
  });
});
