import type { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { Handlers } from '@mediaplane/service';
import { bounded } from '@mediaplane/service';
import type { Channels } from '../channels/channels.ts';
import { validateDtmf } from '../validation/dtmf-request.ts';
import { validatePlayback } from '../validation/playback-request.ts';
import { validateRead, validateRecording } from '../validation/recording-request.ts';
import { change, owned } from './routes.ts';

/** Methods on what channels play, record and send. */
export function mediaHandlers({ table, playbacks, recordings, archive, dtmf }: Channels, maxReads: number) {
  return {
    startPlayback: change(async (request) => {
      const order = validatePlayback(request);
      table.require(request.channelId);
      // Decoding may take a while; the channel can do other things meanwhile.
      const clips = await playbacks.load(order);
      const playback = await table.change(request.channelId, (channel) => playbacks.start(channel, order, clips));
      return { playback };
    }),
    pausePlayback: change(async ({ channelId, playbackId }) => ({
      playback: await table.change(channelId, (channel) => playbacks.pause(channel, playbackId)),
    })),
    resumePlayback: change(async ({ channelId, playbackId }) => ({
      playback: await table.change(channelId, (channel) => playbacks.resume(channel, playbackId)),
    })),
    stopPlayback: change(async ({ channelId, playbackId }) => ({
      playback: await table.change(channelId, (channel) => playbacks.stop(channel, playbackId)),
    })),
    startRecording: change(async (request) => ({
      recording: await recordings.start(request.channelId, validateRecording(request)),
    })),
    pauseRecording: change(async ({ channelId, recordingId }) => ({
      recording: await table.change(channelId, (channel) => recordings.pause(channel, recordingId)),
    })),
    resumeRecording: change(async ({ channelId, recordingId }) => ({
      recording: await table.change(channelId, (channel) => recordings.resume(channel, recordingId)),
    })),
    stopRecording: change(async ({ channelId, recordingId }) => ({
      recording: await table.change(channelId, (channel) => recordings.stop(channel, recordingId)),
    })),
    readRecording: {
      route: owned(),
      handler: bounded('reads', maxReads, async function* (request) {
        validateRead(request);
        yield* archive.read(request);
      }),
    },
    sendDtmf: change(async (request) => {
      const order = validateDtmf(request);
      return table.change(request.channelId, (channel) => dtmf.send(channel, order));
    }),
  } satisfies Partial<Handlers<RtpChannelServiceDefinition>>;
}
