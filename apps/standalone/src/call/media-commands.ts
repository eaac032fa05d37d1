import { readFile } from 'node:fs/promises';
import {
  RecordingChannelMode,
  RecordingDirection,
  SendDtmfResponse,
  StartPlaybackResponse,
  StartRecordingResponse,
  StopPlaybackResponse,
  StopRecordingResponse,
} from '@mediaplane/proto';
import { seconds } from '../report/numbers.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';

const DIRECTIONS: Readonly<Record<string, RecordingDirection>> = {
  in: RecordingDirection.IN,
  out: RecordingDirection.OUT,
  both: RecordingDirection.BOTH,
};

/** Commands on what channels play, record and send. */
export const mediaCommands = {
  play: {
    summary: 'Plays a WAV file to the peer of a channel, or stops what plays.',
    positionals: ['channel', 'file?'],
    options: {
      loop: { kind: 'number', value: '<times>', help: 'how often; -1: endlessly' },
      inline: { kind: 'flag', help: 'the file is on this machine, not in the media folder' },
      stop: { kind: 'text', value: '<playback>', help: 'ends this playback instead' },
    },
    async run({ client, args, print }) {
      const channelId = args.required('channel');
      const playbackId = args.text('stop');
      if (playbackId !== undefined) {
        const response = await client.stopPlayback({ channelId, playbackId });
        print(
          [`${playbackId} stopped at ${seconds(response.playback?.positionMs ?? 0)}`],
          StopPlaybackResponse.toJSON(response),
        );
        return true;
      }
      const file = args.required('file');
      const source = args.flag('inline')
        ? ({ $case: 'inline', value: await localFile(file) } as const)
        : ({ $case: 'file', value: file } as const);
      const response = await client.startPlayback({
        channelId,
        items: [{ source: { source } }],
        loopCount: args.number('loop') ?? 1,
      });
      print([`${response.playback?.playbackId} plays ${file}`], StartPlaybackResponse.toJSON(response));
      return true;
    },
  },
  record: {
    summary: 'Records a channel to a WAV file in the recordings folder, or stops a recording.',
    positionals: ['channel', 'file?'],
    options: {
      direction: { kind: 'text', value: 'in|out|both', help: 'what it receives, what it sends, or both (default)' },
      mono: { kind: 'flag', help: 'both directions in one track' },
      'max-duration-ms': { kind: 'number', value: '<ms>', help: 'ends it after this much audio' },
      stop: { kind: 'text', value: '<recording>', help: 'ends this recording instead' },
    },
    async run({ client, args, print }) {
      const channelId = args.required('channel');
      const recordingId = args.text('stop');
      if (recordingId !== undefined) {
        const response = await client.stopRecording({ channelId, recordingId });
        const { file = '', durationMs = 0 } = response.recording ?? {};
        print([`${file} is complete, ${seconds(durationMs)}`], StopRecordingResponse.toJSON(response));
        return true;
      }
      const direction = DIRECTIONS[args.text('direction') ?? 'both'];
      if (direction === undefined) throw new UsageError(`--direction must be in, out or both`);
      const response = await client.startRecording({
        channelId,
        file: args.optional('file') ?? '',
        direction,
        channelMode: args.flag('mono') ? RecordingChannelMode.MONO : RecordingChannelMode.UNSPECIFIED,
        maxDurationMs: args.number('max-duration-ms') ?? 0,
      });
      const { recording } = response;
      print([`${recording?.recordingId} writes ${recording?.file}`], StartRecordingResponse.toJSON(response));
      return true;
    },
  },
  dtmf: {
    summary: 'Sends digits to the peer of a channel.',
    positionals: ['channel', 'digits'],
    options: {
      'digit-ms': { kind: 'number', value: '<ms>', help: 'length of each digit (default 100)' },
      'gap-ms': { kind: 'number', value: '<ms>', help: 'pause between two (default 100)' },
    },
    async run({ client, args, print }) {
      const digits = args.required('digits');
      const response = await client.sendDtmf({
        channelId: args.required('channel'),
        digits,
        digitMs: args.number('digit-ms') ?? 0,
        gapMs: args.number('gap-ms') ?? 0,
      });
      print([`${digits} will be sent within ${seconds(response.durationMs)}`], SendDtmfResponse.toJSON(response));
      return true;
    },
  },
} satisfies Record<string, Command>;

async function localFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
