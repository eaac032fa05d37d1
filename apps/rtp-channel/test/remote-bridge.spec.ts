import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { BridgeKind, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { findTone } from '@mediaplane/testkit';
import { RtpChannel } from '../src/rtp-channel.ts';
import { startRtpChannel } from '../src/service-spec.ts';
import { dial, EVENTS, PCMA, PCMU, tone } from './support/caller.ts';
import type { Caller } from './support/caller.ts';
import { Follower } from './support/follower.ts';

interface Node {
  readonly service: RunningService;
  readonly inside: RtpChannel;
  readonly channels: ServiceClient<typeof RtpChannelServiceDefinition>;
}

const bus = new EmbeddedBus();
let nodes: Node[];
let follower: Follower;

beforeAll(async () => {
  nodes = [];
  for (const rtpPortMin of [20_000, 22_000, 24_000]) {
    const net = { rtpPortMin, rtpPortMax: rtpPortMin + 1999 };
    const values = { grpc: { port: 0 }, admin: { port: 0 }, media: { threads: 1 }, net };
    const service = await startRtpChannel({ bus, sources: { values }, logTo: { write: () => undefined } });
    const channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
    nodes.push({ service, inside: service.app.get(RtpChannel), channels });
  }
  follower = new Follower((signal) => nodes[0].channels.watchChannels({}, { signal }));
}, 30_000);
afterAll(async () => {
  follower.stop();
  await Promise.all(nodes.map(({ service }) => service.stop('the tests are over', 0)));
  for (const { channels } of nodes) channels[Symbol.dispose]();
  await bus.close();
});

/** A caller whose channel lives on that node. */
async function dialOn(node: Node, ...rest: [settings?: object, options?: object]): Promise<Caller> {
  for (;;) {
    const caller = await dial(node, ...rest);
    if (caller.channel.instanceId === node.service.instanceId) return caller;
    await caller[Symbol.asyncDispose]();
  }
}

async function peerOf(channelId: string): Promise<string> {
  const { channel } = await nodes[0].channels.getChannel({ channelId });
  return channel?.peerChannelId ?? '';
}

const bridge = (one: Caller, other: Caller) =>
  nodes[2].channels.bridgeChannels({ channelId: one.channelId, peerChannelId: other.channelId }, { timeoutMs: 10_000 });

const portsUsed = () => nodes.map(({ inside }) => inside.pool.used);

test('over a private leg: transcoded, then relayed once the codecs agree, over the same leg, then apart', async () => {
  const { channels } = nodes[2];
  const before = portsUsed();
  {
    await using alice = await dialOn(nodes[0], { codecs: { receive: [PCMU, EVENTS] } }, { seed: 1 });
    await using bob = await dialOn(
      nodes[1],
      { codecs: { receive: [PCMA, PCMU, EVENTS], send: PCMA } },
      { seed: 2, codec: 'PCMA' },
    );
    const answer = await bridge(alice, bob);
    expect(answer.channel?.peerChannelId).toBe(bob.channelId);
    expect(answer.peerChannel?.peerChannelId).toBe(alice.channelId);
    void alice.phone.play(tone(600, 5000));
    await bob.phone.waitFor((phone) => findTone(phone.heard(), 8000, 600) !== null);
    void bob.phone.play(tone(1200, 5000));
    await alice.phone.waitFor((phone) => findTone(phone.heard(), 8000, 1200) !== null);
    // Asked again from the other side: nothing changes.
    await bridge(bob, alice);
    expect(await peerOf(alice.channelId)).toBe(bob.channelId);

    const legs = portsUsed();
    await channels.updateChannel({ channelId: bob.channelId, settings: { codecs: { receive: [PCMU, PCMA, EVENTS] } } });
    const is = (channelId: string, kind: BridgeKind) =>
      follower.until(
        ({ channelId: id, detail }) => id === channelId && detail?.$case === 'bridged' && detail.value.kind === kind,
      );
    await Promise.all([is(alice.channelId, BridgeKind.RELAY), is(bob.channelId, BridgeKind.RELAY)]);
    await Promise.all([alice.phone.waitForMorePackets(5), bob.phone.waitForMorePackets(5)]);
    expect(portsUsed()).toEqual(legs);
    expect(follower.events.filter(({ event }) => event.detail?.$case === 'unbridged')).toEqual([]);

    await channels.unbridgeChannel({ channelId: alice.channelId });
    expect([await peerOf(alice.channelId), await peerOf(bob.channelId)]).toEqual(['', '']);
  }
  expect(portsUsed()).toEqual(before);
});

test('what a bridge is follows codecs that changed just before and after, whatever the directory says of them', async () => {
  const { channels } = nodes[2];
  await using alice = await dialOn(nodes[0], { codecs: { receive: [PCMU] } }, { seed: 10 });
  await using bob = await dialOn(nodes[1], { codecs: { receive: [PCMA] } }, { seed: 11, codec: 'PCMA' });
  const bobSpeaks = (...receive: (typeof PCMU)[]) =>
    channels.updateChannel({ channelId: bob.channelId, settings: { codecs: { receive } } });
  const kinds = () =>
    follower.events.flatMap(({ event: { channelId, detail } }) =>
      channelId === alice.channelId && detail?.$case === 'bridged' ? [detail.value.kind] : [],
    );
  const listed = async (): Promise<boolean> =>
    (await channels.listChannels({})).channels.some(({ channelId }) => channelId === bob.channelId);
  while (!(await listed()));
  await bobSpeaks(PCMU);
  await bridge(alice, bob);
  await bobSpeaks(PCMU, PCMA);
  await bobSpeaks(PCMA);
  await follower.until(
    ({ channelId, detail }) =>
      channelId === alice.channelId && detail?.$case === 'bridged' && detail.value.kind === BridgeKind.TRANSCODE,
  );
  await channels.unbridgeChannel({ channelId: alice.channelId });
  await follower.until(({ channelId, detail }) => channelId === alice.channelId && detail?.$case === 'unbridged');
  expect(kinds()).toEqual([BridgeKind.RELAY, BridgeKind.TRANSCODE]);
});

/** Runs `work` when the instance of the called channel has attached its leg, before the caller hears of it. */
function onceAttached({ inside }: Node, work: () => Promise<unknown>): void {
  const { remoteBridges } = inside.channels;
  const onAttach = remoteBridges.onAttach.bind(remoteBridges);
  jest.spyOn(remoteBridges, 'onAttach').mockImplementationOnce(async (request) => {
    const answer = await onAttach(request);
    await work();
    return answer;
  });
}

test('the other channel may change its codecs while its answer is on the way', async () => {
  const { channels } = nodes[1];
  await using alice = await dialOn(nodes[0], { codecs: { receive: [PCMU] } }, { seed: 12 });
  await using bob = await dialOn(nodes[1], { codecs: { receive: [PCMA] } }, { seed: 13, codec: 'PCMA' });
  onceAttached(nodes[1], async () => {
    await channels.updateChannel({ channelId: bob.channelId, settings: { codecs: { receive: [PCMU] } } });
    await follower.until(({ channelId, detail }) => channelId === bob.channelId && detail?.$case === 'updated');
  });
  await bridge(alice, bob);
  await follower.until(
    ({ channelId, detail }) =>
      channelId === alice.channelId && detail?.$case === 'bridged' && detail.value.kind === BridgeKind.RELAY,
  );
});

test('the other channel may end while its answer is on the way: then there is no bridge, and no leg', async () => {
  await using alice = await dialOn(nodes[0], {}, { seed: 14 });
  await using bob = await dialOn(nodes[1], {}, { seed: 15 });
  const [used] = portsUsed();
  onceAttached(nodes[1], () => nodes[1].channels.closeChannel({ channelId: bob.channelId }));
  await expect(bridge(alice, bob)).rejects.toMatchObject({ code: 'ABORTED', reason: 'BRIDGE_SUPERSEDED' });
  expect(await peerOf(alice.channelId)).toBe('');
  while (nodes[0].inside.pool.used !== used) await peerOf(alice.channelId);
});

test('two instances that bridge the same two channels at once agree', async () => {
  await using alice = await dialOn(nodes[0], {}, { seed: 3 });
  await using bob = await dialOn(nodes[1], {}, { seed: 4 });
  for (let round = 0; round < 10; round++) {
    await Promise.all([bridge(alice, bob), bridge(bob, alice)]);
    expect([await peerOf(alice.channelId), await peerOf(bob.channelId)]).toEqual([bob.channelId, alice.channelId]);
    await nodes[2].channels.unbridgeChannel({ channelId: (round % 2 === 0 ? alice : bob).channelId });
    expect([await peerOf(alice.channelId), await peerOf(bob.channelId)]).toEqual(['', '']);
  }
});

test('bridges in a ring over three instances end with pairs or nothing, no leg left over, and nobody waits', async () => {
  const before = portsUsed();
  {
    await using alice = await dialOn(nodes[0], {}, { seed: 5 });
    await using bob = await dialOn(nodes[1], {}, { seed: 6 });
    await using carol = await dialOn(nodes[2], {}, { seed: 7 });
    const callers = [alice, bob, carol];
    for (let round = 0; round < 5; round++) {
      const results = await Promise.allSettled([bridge(alice, bob), bridge(bob, carol), bridge(carol, alice)]);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ABORTED' });
      }
      // What was superseded is taken back a moment after the answer.
      const settled = async (): Promise<boolean> => {
        const peers = new Map<string, string>();
        for (const { channelId } of callers) peers.set(channelId, await peerOf(channelId));
        const mutual = [...peers].every(([channelId, peer]) => peer === '' || peers.get(peer) === channelId);
        const legs = [...peers.values()].filter((peer) => peer !== '').length;
        const used = portsUsed().reduce((sum, each) => sum + each, 0) - before.reduce((sum, each) => sum + each, 0);
        return mutual && used === callers.length + legs;
      };
      while (!(await settled()));
    }
  }
  expect(portsUsed()).toEqual(before);
});

test('a channel that is not there cannot be bridged, and no leg is left over', async () => {
  await using alice = await dialOn(nodes[0], {}, { seed: 8 });
  const bob = await dialOn(nodes[1], {}, { seed: 9 });
  await bob[Symbol.asyncDispose]();
  const used = nodes[0].inside.pool.used;
  await expect(bridge(alice, bob)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'CHANNEL_NOT_FOUND' });
  await expect(bridge(bob, alice)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'CHANNEL_NOT_FOUND' });
  expect(nodes[0].inside.pool.used).toBe(used);
  expect(await peerOf(alice.channelId)).toBe('');
});
