import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import { ContainedFolder } from '../src/files/contained-folder.ts';
import { startRtpChannel } from '../src/service-spec.ts';
import { dial } from './support/caller.ts';

/** Disks that do not do their part: one instance in this process, whose folders are tampered with. */
let folder: Awaited<ReturnType<typeof tempFolder>>;
let recordingsFolder: string;
let service: RunningService;
let channels: ServiceClient<typeof RtpChannelServiceDefinition>;

beforeEach(async () => {
  folder = await tempFolder('disk');
  recordingsFolder = join(folder.path, 'recordings');
  const net = { rtpPortMin: 28_000, rtpPortMax: 28_999 };
  const values = { grpc: { port: 0 }, admin: { port: 0 }, media: { threads: 1 }, net, files: { recordingsFolder } };
  service = await startRtpChannel({ sources: { values }, logTo: { write: () => undefined } });
  channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
});
afterEach(async () => {
  jest.restoreAllMocks();
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
