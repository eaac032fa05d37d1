import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RecordingChannelMode } from '@mediaplane/proto';
import { checkWav, dominantFrequencyHz, findTone, freePort, tempFolder, TestProcess } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { startInstance, type Instance } from '../support/instance.ts';

const TONE_HZ = 1000;
const RATE_HZ = 8000;

/** An even port, as RTP wants it. Linux gives odd ones to whoever asks for any; the next one is most likely free too. */
async function freeEvenPort(): Promise<number> {
  const port = await freePort();
  return port + (port % 2);
}

describeIf('ffmpeg', 'ffmpeg as a peer', ({ ffmpeg }) => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let instance: Instance;

  const run = (args: string[]): Promise<TestProcess> =>
    TestProcess.start(ffmpeg, { name: 'ffmpeg', args: ['-hide_banner', '-loglevel', 'warning', '-y', ...args] });

  beforeAll(async () => {
    folder = await tempFolder('ffmpeg');
    instance = await startInstance(folder.path);
  }, 30_000);

  afterAll(async () => {
    await instance[Symbol.asyncDispose]();
    await folder.remove();
  });

  test('the tone that it sends as PCMU it hears as PCMA on the other leg, and it is in the recording', async () => {
    const { channels } = instance;
    const hearPort = await freeEvenPort();
    const sdp = join(folder.path, 'hear.sdp');
    const heard = join(folder.path, 'heard.wav');
    await writeFile(
      sdp,
      `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio ${hearPort} RTP/AVP 8\na=rtpmap:8 PCMA/8000\n`,
    );
    const pcma = { payloadType: 8, encodingName: 'PCMA', clockRateHz: RATE_HZ };
    const { channels: legs } = await channels.batchOpenChannels({
      requests: [
        {},
        {
          settings: {
            remote: { address: '127.0.0.1', rtpPort: hearPort },
            codecs: { send: pcma, receive: [pcma] },
          },
        },
      ],
    });
    const [speaks, hears] = legs;
    await channels.bridgeChannels({ channelId: speaks.channelId, peerChannelId: hears.channelId });
    const { recording } = await channels.startRecording({
      channelId: speaks.channelId,
      channelMode: RecordingChannelMode.STEREO,
    });
    if (!recording || !speaks.local) throw new Error('nothing to record or to send to');

    const listening = await run([
      '-protocol_whitelist',
      'file,udp,rtp',
      '-i',
      sdp,
      '-t',
      '2',
      '-c:a',
      'pcm_s16le',
      heard,
    ]);
    const { address, rtpPort } = speaks.local;
    const source = `sine=frequency=${TONE_HZ}:sample_rate=${RATE_HZ}:duration=5`;
    const talking = await run([
      ...['-re', '-f', 'lavfi', '-i', source, '-ac', '1', '-c:a', 'pcm_mulaw', '-payload_type', '0'],
      ...['-f', 'rtp', `rtp://${address}:${rtpPort}?pkt_size=172`],
    ]);
    expect((await listening.exited).code).toBe(0);
    expect((await talking.exited).code).toBe(0);

    const { recording: finished } = await channels.stopRecording({
      channelId: speaks.channelId,
      recordingId: recording.recordingId,
    });
    const { record } = await channels.closeChannel({ channelId: speaks.channelId });
    await channels.closeChannel({ channelId: hears.channelId });

    const [out] = checkWav(await readFile(heard)).channels;
    expect(dominantFrequencyHz(out, RATE_HZ)).toBeCloseTo(TONE_HZ, -1);
    expect(findTone(out, RATE_HZ, TONE_HZ)?.durationMs).toBeGreaterThan(1500);

    const file = await readFile(join(folder.path, 'recordings', finished?.file ?? ''));
    const { channels: tracks, durationMs } = checkWav(file);
    expect(Math.floor(durationMs)).toBe(finished?.durationMs);
    expect(findTone(tracks[0], RATE_HZ, TONE_HZ)?.durationMs).toBeGreaterThan(4500);
    expect(record?.statistics?.received).toMatchObject({ lostPackets: 0, duplicatePackets: 0 });
    expect(record?.statistics?.received?.packets).toBeGreaterThanOrEqual(240);
  }, 40_000);
});
