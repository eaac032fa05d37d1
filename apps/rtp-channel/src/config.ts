import { integer, section, text } from '@mediaplane/service';
import type { ConfigOf } from '@mediaplane/service';

const WEEK_MS = 604_800_000;
const GIB = 2 ** 30;

/** Keys of this service beside those that every service has. */
export const rtpChannelConfig = {
  files: section({
    mediaFolder: text('media', 'Folder of the WAV files that StartPlayback plays.'),
    recordingsFolder: text('recordings', 'Folder that recordings are written to; made when it is missing.'),
    promptCacheBytes: integer(
      0,
      16 * GIB,
      268_435_456,
      'Decoded prompts that are kept; a second of audio takes 16,000.',
    ),
    maxMediaFileBytes: integer(44, GIB, 67_108_864, 'Largest file that StartPlayback plays.'),
    recordingBufferBytes: integer(
      65_536,
      GIB,
      1_048_576,
      'Audio of one recording that may wait for a slow disk before the recording ends; 32,000 a second in stereo.',
    ),
    maxReadableRecordings: integer(
      1,
      10_000_000,
      100_000,
      'Recordings that ReadRecording finds; of more, the oldest stay on the disk alone.',
    ),
  }),
  streams: section({
    maxWatches: integer(1, 100_000, 256, 'WatchChannels served at once; more get RESOURCE_EXHAUSTED.'),
    maxReads: integer(1, 10_000, 64, 'ReadRecording served at once, a file each; more get RESOURCE_EXHAUSTED.'),
  }),
  idle: section({
    rtpTimeoutMs: integer(0, WEEK_MS, 20_000, 'Default of IdleRules.rtp_timeout_ms; 0: never.'),
    noRemoteTimeoutMs: integer(0, WEEK_MS, 3_600_000, 'Default of IdleRules.no_remote_timeout_ms; 0: never.'),
    holdTimeoutMs: integer(0, WEEK_MS, 7_200_000, 'Default of IdleRules.hold_timeout_ms; 0: never.'),
  }),
};

export type RtpChannelConfig = ConfigOf<typeof rtpChannelConfig>;
