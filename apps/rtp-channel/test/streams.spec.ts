import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { tempFolder } from '@mediaplane/testkit';
import { ContainedFolder } from '../src/files/contained-folder.ts';
import { startRtpChannel } from '../src/service-spec.ts';

/** One instance that serves few streams at once. */
let folder: Awaited<ReturnType<typeof tempFolder>>;
let service: RunningService;
let channels: ServiceClient<typeof RtpChannelServiceDefinition>;

beforeAll(async () => {
  folder = await tempFolder('streams');
  const values = {
    grpc: { port: 0 },
    admin: { port: 0 },
    media: { threads: 1 },
    files: { recordingsFolder: join(folder.path, 'recordings') },
    streams: { maxWatches: 2, maxReads: 1 },
  };
  service = await startRtpChannel({ sources: { values }, logTo: { write: () => undefined } });
  channels = createClient(RtpChannelServiceDefinition, service.grpcAddress);
}, 30_000);
afterAll(async () => {
  await service.stop('the tests are over', 0);
  channels[Symbol.dispose]();
  await folder.remove();
});

const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_STREAMS', retryAfterMs: 1000 };

test('watches are bounded, and one that its caller leaves makes room', async () => {
  const watch = (signal?: AbortSignal) => channels.watchChannels({}, { signal })[Symbol.asyncIterator]();
  const leaving = new AbortController();
  const [leaver, stayer] = [watch(leaving.signal), watch()];
  await Promise.all([leaver.next(), stayer.next()]);
  await expect(watch().next()).rejects.toMatchObject(refusal);
  leaving.abort();
  await expect(leaver.next()).rejects.toMatchObject({ code: 'CANCELLED' });
  let follower = watch();
  // The service hears of it a moment later.
  const opened = (): Promise<boolean> =>
    follower.next().then(
      () => true,
      () => false,
    );
  while (!(await opened())) follower = watch();
  await Promise.all([stayer.return?.(), follower.return?.()]);
});

test('reads are bounded', async () => {
  const { channel } = await channels.openChannel({});
  const channelId = channel?.channelId ?? '';
  const { recording } = await channels.startRecording({ channelId });
  await channels.closeChannel({ channelId });
  const read = async (): Promise<number> => {
    let pieces = 0;
    for await (const { data } of channels.readRecording({ channelId, recordingId: recording?.recordingId ?? '' })) {
      if (data.length > 0) pieces += 1;
    }
    return pieces;
  };
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const { openForReading } = ContainedFolder.prototype;
  jest.spyOn(ContainedFolder.prototype, 'openForReading').mockImplementationOnce(async function (
    this: ContainedFolder,
    name,
  ) {
    asked.resolve();
    await answered.promise;
    return openForReading.call(this, name);
  });
  const reading = read();
  await asked.promise;
  await expect(read()).rejects.toMatchObject(refusal);
  answered.resolve();
  expect(await reading).toBe(1);
  expect(await read()).toBe(1);
  jest.restoreAllMocks();
});
