import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { WAV_HEADER_BYTES, wavHeader } from '@mediaplane/audio';
import { CloseReason, RecordingFinishReason, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { checkWav, tempFolder } from '@mediaplane/testkit';
import { ContainedFolder } from '../src/files/contained-folder.ts';
import { RecordingFile } from '../src/files/recording-file.ts';
import type { RecordingSink } from '../src/files/recording-file.ts';
import { RtpChannel } from '../src/rtp-channel.ts';
import { startRtpChannel } from '../src/service-spec.ts';
import { dial } from './support/caller.ts';
import { Follower } from './support/follower.ts';
import { startInstance } from './support/instance.ts';

/** As a WAV file. */
function silence(ms: number): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES + ms * 16);
  bytes.set(wavHeader(ms * 16, 8000, 1));
  return bytes;
}

/** Disks that do not do their part. */
describe('a disk that hangs', () => {
  /** One instance in this process, whose folders are tampered with. */
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let recordingsFolder: string;
  let service: RunningService;
  let inside: RtpChannel;
  let follower: Follower;
  let channels: ServiceClient<typeof RtpChannelServiceDefinition>;

  beforeEach(async () => {
    folder = await tempFolder('disk');
    recordingsFolder = join(folder.path, 'recordings');
    const net = { rtpPortMin: 28_000, rtpPortMax: 28_999 };
    const values = { grpc: { port: 0 }, admin: { port: 0 }, media: { threads: 1 }, net, files: { recordingsFolder } };
    service = await startRtpChannel({ sources: { values }, logTo: { write: () => undefined } });
    inside = service.app.get(RtpChannel);
    channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
    follower = new Follower((signal) => channels.watchChannels({}, { signal }));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    follower.stop();
    await service.stop('the test is over', 0);
    channels[Symbol.dispose]();
    await folder.remove();
  });

  const files = async (): Promise<string[]> => {
    const names = await readdir(recordingsFolder, { recursive: true });
    return names.filter((name) => name.endsWith('.wav'));
  };

  /** From now on no file is made before `answer` is called. */
  function hangingDisk() {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const { create } = ContainedFolder.prototype;
    jest.spyOn(ContainedFolder.prototype, 'create').mockImplementation(async function (this: ContainedFolder, name) {
      asked.resolve();
      await answered.promise;
      return create.call(this, name);
    });
    return { asked: asked.promise, answer: answered.resolve };
  }

  /** From now on files are made, but take no audio before `answer` is called. */
  function hangingWrites() {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const { start } = RecordingFile;
    jest.spyOn(RecordingFile, 'start').mockImplementation(async (sink, options) => {
      let isHeader = true;
      const write: RecordingSink['write'] = async (...args) => {
        if (!isHeader) {
          asked.resolve();
          await answered.promise;
        }
        isHeader = false;
        return sink.write(...args);
      };
      return start({ write, close: () => sink.close() }, options);
    });
    return { asked: asked.promise, answer: answered.resolve };
  }

  test('a file that takes too long to make: the channel closes meanwhile, the caller is told, and nothing is left', async () => {
    const { asked, answer } = hangingDisk();
    const removed = Promise.withResolvers<string>();
    const { remove } = ContainedFolder.prototype;
    jest.spyOn(ContainedFolder.prototype, 'remove').mockImplementation(async function (this: ContainedFolder, name) {
      await remove.call(this, name);
      removed.resolve(name);
    });
    await using caller = await dial({ channels });
    const { channelId } = caller;
    const order: string[] = [];
    const starting = channels
      .startRecording({ channelId, file: 'slow.wav' })
      .catch((error: unknown) => error)
      .finally(() => order.push('start'));
    await asked;
    await channels.closeChannel({ channelId });
    order.push('close');
    expect(await starting).toMatchObject({ code: 'UNAVAILABLE', reason: 'RECORDING_DISK_SLOW' });
    expect(order).toEqual(['close', 'start']);
    answer();
    expect(await removed.promise).toBe('slow.wav');
    expect(await files()).toEqual([]);
  });

  test('a channel that closed while the file was made: there is no file', async () => {
    const { asked, answer } = hangingDisk();
    await using caller = await dial({ channels });
    const { channelId } = caller;
    const starting = channels.startRecording({ channelId, file: 'late.wav' }).catch((error: unknown) => error);
    await asked;
    await channels.closeChannel({ channelId });
    answer();
    expect(await starting).toMatchObject({ code: 'NOT_FOUND', reason: 'CHANNEL_NOT_FOUND' });
    expect(await files()).toEqual([]);
  });

  test('what a channel holds is given back before its recording is waited for, and `closed` comes last', async () => {
    const disk = hangingWrites();
    await using alice = await dial({ channels });
    await using bob = await dial({ channels });
    await using carol = await dial({ channels });
    const { channelId } = alice;
    await channels.bridgeChannels({ channelId, peerChannelId: bob.channelId });
    await channels.startRecording({ channelId, file: 'held.wav' });
    await channels.startPlayback({
      channelId,
      items: [{ source: { source: { $case: 'inline', value: silence(8000) } } }],
    });
    await channels.sendDtmf({ channelId, digits: '1234567890', digitMs: 500 });
    await disk.asked;
    const { used } = inside.pool;
    const closing = channels.closeChannel({ channelId });
    const ended = (kind: string) => follower.until((e) => e.channelId === channelId && e.detail?.$case === kind);
    await ended('unbridged');
    await channels.bridgeChannels({ channelId: carol.channelId, peerChannelId: bob.channelId });
    expect(inside.pool.used).toBe(used - 1);
    disk.answer();
    const { record } = await closing;
    expect(record?.reason).toBe(CloseReason.REQUESTED);
    await ended('closed');
    const kinds = follower.events
      .filter(({ event }) => event.channelId === channelId)
      .map((e) => e.event.detail?.$case);
    expect(kinds.slice(-5, -3).toSorted()).toEqual(['dtmfFinished', 'playbackFinished']);
    expect(kinds.slice(-3)).toEqual(['unbridged', 'recordingFinished', 'closed']);
    checkWav(await readFile(join(recordingsFolder, 'held.wav')));
  });
});

test('a disk that is full in the middle of a recording: it ends with its event, whole as far as it got, and the call goes on', async () => {
  await using folder = await tempFolder('full');
  await using instance = await startInstance(folder.path, {}, { maxFileBytes: 32_768 });
  const { channels } = instance;
  const follower = new Follower((signal) => channels.watchChannels({}, { signal }));
  await using caller = await dial(instance, { echo: true });
  const { channelId } = caller;
  await channels.startRecording({ channelId, file: 'full.wav' });
  const { event } = await follower.until(({ detail }) => detail?.$case === 'recordingFinished');
  expect(event.detail).toMatchObject({
    value: { reason: RecordingFinishReason.WRITE_FAILED, error: expect.stringContaining('EFBIG') },
  });
  await caller.phone.waitForMorePackets(25);
  const { channel } = await channels.getChannel({ channelId });
  expect(channel?.recordings).toEqual([]);
  const bytes = await readFile(join(folder.path, 'recordings', 'full.wav'));
  expect(bytes.length).toBeLessThanOrEqual(32_768);
  expect(checkWav(bytes).durationMs).toBeGreaterThan(500);
  follower.stop();
}, 30_000);

describe('a recordings folder that cannot be written: the recording is refused, and the call goes on', () => {
  test.each([
    ['because a file is in its place', 'a-file'],
    // Nobody makes files there, whatever the rights: also root has a folder that is read-only.
    ['because it is read-only', '/sys'],
  ])(
    '%s',
    async (_, recordingsFolder) => {
      await using folder = await tempFolder('unwritable');
      await writeFile(join(folder.path, 'a-file'), 'a file where the folder should be');
      await using instance = await startInstance(folder.path, { MEDIAPLANE_FILES_RECORDINGS_FOLDER: recordingsFolder });
      await using caller = await dial(instance, { echo: true });
      for (const file of ['', 'named.wav', 'sub/named.wav']) {
        await expect(instance.channels.startRecording({ channelId: caller.channelId, file })).rejects.toMatchObject({
          code: 'FAILED_PRECONDITION',
          reason: 'RECORDING_UNAVAILABLE',
        });
      }
      await caller.phone.waitForMorePackets(10);
    },
    30_000,
  );
});
