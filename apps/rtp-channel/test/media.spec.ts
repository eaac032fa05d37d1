import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WAV_HEADER_BYTES, wavHeader } from '@mediaplane/audio';
import {
  DtmfFinishReason,
  PlaybackFinishReason,
  PlaybackState,
  RecordingChannelMode,
  RecordingFinishReason,
  RecordingState,
} from '@mediaplane/proto';
import type { ChannelEvent } from '@mediaplane/proto';
import { checkWav, findTone, tempFolder } from '@mediaplane/testkit';
import { dial, PCMU, tone } from './support/caller.ts';
import { Follower } from './support/follower.ts';
import { startInstance } from './support/instance.ts';
import type { Instance } from './support/instance.ts';

function wav(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES + samples.byteLength);
  bytes.set(wavHeader(samples.byteLength, 8000, 1));
  bytes.set(new Uint8Array(samples.buffer), WAV_HEADER_BYTES);
  return bytes;
}

type Detail = NonNullable<ChannelEvent['detail']>;
type Of<C extends Detail['$case']> = Extract<Detail, { $case: C }>;

describe('what channels play, record and send', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let instance: Instance;
  let follower: Follower;

  beforeAll(async () => {
    folder = await tempFolder('media');
    const media = join(folder.path, 'media');
    await mkdir(join(media, 'sub'), { recursive: true });
    await writeFile(join(media, 'low.wav'), wav(tone(500, 400)));
    await writeFile(join(media, 'sub', 'high.wav'), wav(tone(1500, 60_000)));
    await writeFile(join(media, 'text.wav'), 'hello');
    await writeFile(join(folder.path, 'secret.wav'), wav(tone(500, 400)));
    await symlink(join(folder.path, 'secret.wav'), join(media, 'link.wav'));
    instance = await startInstance(folder.path);
    follower = new Follower((signal) => instance.channels.watchChannels({}, { signal }));
  }, 30_000);
  afterAll(async () => {
    follower.stop();
    await instance[Symbol.asyncDispose]();
    await folder.remove();
  });

  /** The first event of that kind that fits. */
  async function event<C extends Detail['$case']>(
    channelId: string,
    kind: C,
    fits: (detail: Of<C>) => boolean = () => true,
  ): Promise<Of<C>> {
    const is = (detail: Detail | undefined): detail is Of<C> => detail?.$case === kind;
    const { event: found } = await follower.until(
      ({ channelId: id, detail }) => id === channelId && is(detail) && fits(detail),
    );
    if (!is(found.detail)) throw new Error(`not ${kind}`);
    return found.detail;
  }
  const file = (value: string) => ({ source: { source: { $case: 'file' as const, value } } });
  const inline = (value: Uint8Array) => ({ source: { source: { $case: 'inline' as const, value } } });

  test('a list of files is played to its end', async () => {
    await using caller = await dial(instance);
    const { playback } = await instance.channels.startPlayback({
      channelId: caller.channelId,
      items: [file('low.wav'), { ...file('sub/high.wav'), startMs: 100, stopMs: 500 }],
      loopCount: 2,
    });
    expect(playback?.playbackId).toMatch(/^pb_/);
    await event(caller.channelId, 'playbackStarted');
    const { value: finished } = await event(caller.channelId, 'playbackFinished');
    expect(finished).toMatchObject({ reason: PlaybackFinishReason.COMPLETED, playback: { positionMs: 1600 } });
    await caller.phone.waitForPackets(80);
    expect(caller.phone.timeline.packets).toHaveLength(80);
    const heard = caller.phone.heard();
    expect(findTone(heard, 8000, 500)).not.toBeNull();
    expect(findTone(heard, 8000, 1500)).not.toBeNull();
  });

  test('pause holds the position, resume goes on, another playback replaces it, a digit interrupts', async () => {
    const { channels } = instance;
    await using caller = await dial(instance);
    const { channelId, phone } = caller;
    const first = await channels.startPlayback({ channelId, items: [{ ...file('sub/high.wav'), loopCount: -1 }] });
    const playbackId = first.playback?.playbackId ?? '';
    await phone.waitForPackets(10);
    const paused = await channels.pausePlayback({ channelId, playbackId });
    expect(paused.playback?.state).toBe(PlaybackState.PAUSED);
    await channels.pausePlayback({ channelId, playbackId });
    const { channel } = await channels.getChannel({ channelId });
    expect(channel?.playbacks).toMatchObject([
      { playbackId, state: PlaybackState.PAUSED, positionMs: paused.playback?.positionMs },
    ]);
    await channels.resumePlayback({ channelId, playbackId });
    await phone.waitForMorePackets(5);
    const second = await channels.startPlayback({
      channelId,
      items: [inline(wav(tone(900, 5000)))],
      interruptOnDtmf: true,
    });
    const { value: replaced } = await event(
      channelId,
      'playbackFinished',
      ({ value }) => value.playback?.playbackId === playbackId,
    );
    expect(replaced.reason).toBe(PlaybackFinishReason.REPLACED);
    await expect(channels.stopPlayback({ channelId, playbackId })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'PLAYBACK_NOT_FOUND',
    });
    await phone.sendDigits('5');
    const secondId = second.playback?.playbackId;
    const { value: interrupted } = await event(
      channelId,
      'playbackFinished',
      ({ value }) => value.playback?.playbackId === secondId,
    );
    expect(interrupted).toMatchObject({ reason: PlaybackFinishReason.INTERRUPTED_BY_DTMF, digit: '5' });
    expect(await event(channelId, 'dtmfReceived')).toMatchObject({ value: { digit: '5' } });
    const kinds = follower.events
      .filter((each) => each.event.channelId === channelId)
      .map((e) => e.event.detail?.$case);
    expect(kinds.filter((kind) => kind === 'playbackPaused')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'playbackResumed')).toHaveLength(1);
  });

  test('what is playing, recording and dialling ends before its channel', async () => {
    const { channels } = instance;
    await using caller = await dial(instance);
    const { channelId, phone } = caller;
    await channels.startPlayback({ channelId, items: [{ ...file('low.wav'), loopCount: -1 }] });
    const { recording } = await channels.startRecording({ channelId });
    await channels.sendDtmf({ channelId, digits: '1234567890', digitMs: 500 });
    await phone.waitForPackets(20);
    await channels.closeChannel({ channelId });
    await event(channelId, 'closed');
    const kinds = follower.events.filter((e) => e.event.channelId === channelId).map((e) => e.event.detail?.$case);
    for (const kind of ['playbackFinished', 'recordingFinished', 'dtmfFinished'] as const) {
      expect(kinds.filter((each) => each === kind)).toHaveLength(1);
      expect(kinds.indexOf(kind)).toBeLessThan(kinds.indexOf('closed'));
    }
    expect((await event(channelId, 'dtmfFinished')).value.reason).toBe(DtmfFinishReason.ABORTED);
    const { value: finished } = await event(channelId, 'recordingFinished');
    expect(finished.reason).toBe(RecordingFinishReason.CHANNEL_CLOSED);
    const bytes = await readFile(join(folder.path, 'recordings', recording?.file ?? ''));
    expect(bytes.length).toBe(finished.recording?.sizeBytes);
    checkWav(bytes);
  });

  test('a recording has both directions, pauses, and can be read while it grows and after', async () => {
    const { channels } = instance;
    await using caller = await dial(instance);
    const { channelId, phone } = caller;
    void phone.play(tone(1000, 10_000));
    await channels.startPlayback({ channelId, items: [{ ...file('low.wav'), loopCount: -1 }] });
    const { recording } = await channels.startRecording({ channelId, file: 'calls/one.wav' });
    const recordingId = recording?.recordingId ?? '';
    expect(recording).toMatchObject({ state: RecordingState.RECORDING, channelMode: RecordingChannelMode.STEREO });
    await expect(channels.startRecording({ channelId, file: 'calls/one.wav' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'RECORDING_FILE_EXISTS',
    });
    const read = async (offsetBytes = 0, limitBytes = 0): Promise<Buffer> => {
      const pieces: Uint8Array[] = [];
      for await (const { data } of channels.readRecording({ channelId, recordingId, offsetBytes, limitBytes })) {
        pieces.push(data);
      }
      return Buffer.concat(pieces);
    };
    // Audio is on disk at most half a second after it was heard.
    let growing = await read();
    while (growing.length < 8000) growing = await read();
    expect(checkWav(growing).channels).toHaveLength(2);
    await channels.pauseRecording({ channelId, recordingId });
    const { channel } = await channels.getChannel({ channelId });
    expect(channel?.recordings).toMatchObject([{ recordingId, state: RecordingState.PAUSED }]);
    await channels.resumeRecording({ channelId, recordingId });
    const stopped = await channels.stopRecording({ channelId, recordingId });
    expect(stopped.recording?.state).toBe(RecordingState.FINISHED);
    const onDisk = await readFile(join(folder.path, 'recordings', 'calls', 'one.wav'));
    expect(onDisk.length).toBe(stopped.recording?.sizeBytes);
    const [received, sent] = checkWav(onDisk).channels;
    expect(findTone(received, 8000, 1000)).not.toBeNull();
    expect(findTone(sent, 8000, 500)).not.toBeNull();
    await channels.closeChannel({ channelId });
    expect(await read()).toEqual(onDisk);
    expect(await read(100, 50)).toEqual(onDisk.subarray(100, 150));
    await expect(read(onDisk.length + 1)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(read(-1)).rejects.toMatchObject({ fieldViolations: [{ field: 'offset_bytes' }] });
  });

  test('a recording ends at its maximum duration', async () => {
    await using caller = await dial(instance);
    const { channelId } = caller;
    await instance.channels.startRecording({ channelId, file: 'short.wav', maxDurationMs: 300, direction: 1 });
    const { recording, reason } = (await event(channelId, 'recordingFinished')).value;
    expect(reason).toBe(RecordingFinishReason.MAX_DURATION);
    expect(recording).toMatchObject({ durationMs: 300, sizeBytes: 44 + 4800 });
  });

  test('at most 8 recordings at once', async () => {
    await using caller = await dial(instance);
    const { channelId } = caller;
    await Promise.all(Array.from({ length: 8 }, () => instance.channels.startRecording({ channelId })));
    await expect(instance.channels.startRecording({ channelId })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'TOO_MANY_RECORDINGS',
    });
  });

  test('digits are sent in order and counted', async () => {
    await using caller = await dial(instance);
    const { channelId, phone } = caller;
    const { dtmfId, durationMs } = await instance.channels.sendDtmf({
      channelId,
      digits: '1a#',
      digitMs: 60,
      gapMs: 40,
    });
    expect(durationMs).toBeGreaterThanOrEqual(3 * 60 + 2 * 40);
    await phone.waitForDigits('1A#');
    const { value: finished } = await event(channelId, 'dtmfFinished');
    expect(finished).toMatchObject({ dtmfId, digits: '1A#', reason: DtmfFinishReason.COMPLETED });
    const { channel } = await instance.channels.getChannel({ channelId, view: 2 });
    expect(channel?.statistics?.dtmfSent).toBe(3);
  });

  test('what bad input gets', async () => {
    const { channels } = instance;
    await using caller = await dial(instance);
    const { channelId } = caller;
    const play = (...items: (ReturnType<typeof file> | ReturnType<typeof inline>)[]) =>
      channels.startPlayback({ channelId, items });
    const field = (name: string) => ({ code: 'INVALID_ARGUMENT', fieldViolations: [{ field: name }] });
    await expect(play(file('../secret.wav'))).rejects.toMatchObject(field('items[0].source.file'));
    await expect(play(file('link.wav'))).rejects.toMatchObject(field('items[0].source.file'));
    await expect(play(file('sub'))).rejects.toMatchObject(field('items[0].source.file'));
    await expect(play(file('low.wav'), file('text.wav'))).rejects.toMatchObject(field('items[1].source.file'));
    await expect(play(inline(new Uint8Array(100)))).rejects.toMatchObject(field('items[0].source.inline'));
    await expect(play(inline(wav(new Int16Array(0))))).rejects.toMatchObject(field('items[0].source.inline'));
    await expect(play({ ...file('low.wav'), ...{ startMs: 400 } })).rejects.toMatchObject(field('items[0].start_ms'));
    await expect(play(file('none.wav'))).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'MEDIA_FILE_NOT_FOUND' });
    await expect(channels.startRecording({ channelId, file: '../x.wav' })).rejects.toMatchObject(field('file'));
    await expect(channels.sendDtmf({ channelId, digits: '1'.repeat(10_000) })).rejects.toMatchObject(field('digits'));
    await expect(channels.getChannel({ channelId: 'nonsense' })).rejects.toMatchObject(field('channel_id'));
    await expect(channels.bridgeChannels({ channelId, peerChannelId: 'x' })).rejects.toMatchObject(
      field('peer_channel_id'),
    );
    await expect(channels.bridgeChannels({ channelId, peerChannelId: channelId })).rejects.toMatchObject(
      field('peer_channel_id'),
    );
    const unknown = `${channelId.slice(0, -4)}aaaa`;
    await expect(channels.bridgeChannels({ channelId, peerChannelId: unknown })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'CHANNEL_NOT_FOUND',
    });
    for (const call of [channels.getChannel, channels.closeChannel, channels.unbridgeChannel]) {
      await expect(call({ channelId: unknown })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        reason: 'CHANNEL_NOT_FOUND',
      });
    }
    await expect(channels.listChannels({ pageSize: 1001 })).rejects.toMatchObject(field('page_size'));
    await expect(channels.listChannels({ pageToken: 'x' })).rejects.toMatchObject(field('page_token'));

    const { channel: silent } = await channels.openChannel({ settings: { codecs: { receive: [PCMU] } } });
    const { channel: nobody } = await channels.openChannel({});
    await expect(channels.sendDtmf({ channelId: silent?.channelId ?? '', digits: '1' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'DTMF_NOT_NEGOTIATED',
    });
    await expect(channels.sendDtmf({ channelId: nobody?.channelId ?? '', digits: '1' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'NO_REMOTE',
    });
    for (const each of [silent, nobody]) await channels.closeChannel({ channelId: each?.channelId ?? '' });
  });
});

test('kill -9 loses at most a second of a recording', async () => {
  await using folder = await tempFolder('killed');
  await using instance = await startInstance(folder.path);
  const caller = await dial(instance);
  void caller.phone.play(tone(1000, 60_000));
  await instance.channels.startRecording({ channelId: caller.channelId, file: 'killed.wav' });
  const startedMs = performance.now();
  await caller.phone.waitFor(() => performance.now() - startedMs > 2500);
  const recordedMs = performance.now() - startedMs;
  await instance.process.kill();
  await caller.phone.close();
  const bytes = await readFile(join(folder.path, 'recordings', 'killed.wav'));
  const { channels, durationMs } = checkWav(bytes);
  expect(durationMs).toBeGreaterThan(recordedMs - 1000);
  expect(findTone(channels[0], 8000, 1000)).not.toBeNull();
}, 30_000);
