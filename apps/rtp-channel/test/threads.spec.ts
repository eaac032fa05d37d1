import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BridgeKind, CloseReason, RecordingFinishReason, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import { RtpChannel } from '../src/rtp-channel.ts';
import { startRtpChannel } from '../src/service-spec.ts';
import { dial } from './support/caller.ts';
import { Follower } from './support/follower.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let service: RunningService;
let inside: RtpChannel;
let channels: ServiceClient<typeof RtpChannelServiceDefinition>;
let follower: Follower;

beforeEach(async () => {
  folder = await tempFolder('threads');
  service = await startRtpChannel({
    sources: {
      values: {
        grpc: { port: 0 },
        admin: { port: 0 },
        media: { threads: 2 },
        files: { recordingsFolder: join(folder.path, 'recordings') },
      },
    },
    logTo: { write: () => undefined },
  });
  inside = service.app.get(RtpChannel);
  channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
  follower = new Follower((signal) => channels.watchChannels({}, { signal }));
});
afterEach(async () => {
  follower.stop();
  await service.stop('the test is over', 0);
  channels[Symbol.dispose]();
  await folder.remove();
});

const recordOf = async (channelId: string) => {
  const { event } = await follower.until((each) => each.channelId === channelId && each.detail?.$case === 'closed');
  return event.detail?.$case === 'closed' ? event.detail.value.record : undefined;
};

test('two channels of different threads are bridged, again and again with other partners', async () => {
  await using alice = await dial({ channels }, {}, { seed: 1 });
  await using bob = await dial({ channels }, {}, { seed: 2 });
  await using carol = await dial({ channels }, {}, { seed: 3 });
  expect(inside.media.threads.map(({ sessions }) => sessions).sort()).toEqual([1, 2]);
  for (const [one, other] of [
    [alice, bob],
    [bob, carol],
    [carol, alice],
  ]) {
    await channels.bridgeChannels({ channelId: one.channelId, peerChannelId: other.channelId });
    await Promise.all([one.phone.waitForMorePackets(10), other.phone.waitForMorePackets(10)]);
  }
  const { channel } = await channels.getChannel({ channelId: bob.channelId });
  expect(channel?.peerChannelId).toBe('');
  const bridged = follower.events.flatMap(({ event: { detail } }) =>
    detail?.$case === 'bridged' ? [detail.value.kind] : [],
  );
  expect(bridged).toEqual(Array(6).fill(BridgeKind.RELAY));
});

test('a media thread dies: its channels close with internal-error, everything is released, the others go on', async () => {
  await using first = await dial({ channels }, { echo: true }, { seed: 4 });
  await using second = await dial({ channels }, { echo: true }, { seed: 5 });
  await first.phone.waitForPackets(5);
  await channels.startRecording({ channelId: first.channelId });
  const doomed = inside.media.threads[0];
  doomed.kill('by a test');
  const record = await recordOf(first.channelId);
  expect(record).toMatchObject({ reason: CloseReason.INTERNAL_ERROR, text: 'by a test', statistics: undefined });
  const events = follower.events.filter(({ event }) => event.channelId === first.channelId).map(({ event }) => event);
  const finished = events.at(-2)?.detail;
  expect(finished).toMatchObject({
    $case: 'recordingFinished',
    value: { reason: RecordingFinishReason.CHANNEL_CLOSED },
  });
  expect(inside.pool.used).toBe(1);
  await second.phone.waitForMorePackets(10);
  // A new thread takes the place of the old one.
  await expect(inside.media.threads[0].ready).resolves.toBeUndefined();
  await using third = await dial({ channels }, { echo: true }, { seed: 6 });
  await third.phone.waitForPackets(5);
});

test('when the instance stops, what is left closes with reason shutdown', async () => {
  await using caller = await dial({ channels }, { echo: true });
  await caller.phone.waitForPackets(5);
  const stopping = service.stop('SIGTERM', 0);
  expect(await recordOf(caller.channelId)).toMatchObject({ reason: CloseReason.SHUTDOWN });
  await stopping;
  expect(inside.pool.used).toBe(0);
});
