import type { G711Codec } from '@mediaplane/audio';
import type { MediaContract } from '@mediaplane/media';
import type { AddressWords } from '@mediaplane/net';
import type { LatchMode } from '@mediaplane/rtp';
import type { ChannelSnapshot } from './session-snapshot.ts';

/**
 * What the control side of rtp-channel and its media threads say to each other. All of it is plain data: it crosses
 * threads by structured clone. Times are milliseconds of media unless their name says otherwise.
 */

/** The part a socket plays in a channel. */
export const Role = {
  rtp: 0,
  rtcp: 1,
  /** The private leg of a bridge across instances. */
  peerLeg: 2,
} as const;

/** Samples per second of everything inside: prompts, recordings, mixing. G.711 knows no other rate. */
export const SAMPLE_RATE_HZ = 8000;
/** The tick of audio that a channel makes itself. */
export const FRAME_MS = 20;

export type { AddressWords };

export interface AudioFormat {
  readonly payloadType: number;
  readonly codec: G711Codec;
  /** Milliseconds of audio in a packet that the channel makes itself. */
  readonly ptimeMs: number;
}

/** Payload formats by direction; all have a clock of 8000 Hz and one audio channel. */
export interface MediaFormats {
  readonly send: AudioFormat;
  /** -1: digits cannot be sent. */
  readonly sendDtmfPayloadType: number;
  readonly receive: readonly AudioFormat[];
  readonly receiveDtmfPayloadTypes: readonly number[];
}

export interface MediaSettings {
  /** Null until the peer's address is known. */
  readonly remoteRtp: AddressWords | null;
  readonly remoteRtcp: AddressWords | null;
  readonly formats: MediaFormats;
  readonly sends: boolean;
  readonly receives: boolean;
  readonly echo: boolean;
  readonly latchMode: LatchMode;
  readonly latchWindowMs: number;
  /** 0: never. */
  readonly rtpTimeoutMs: number;
  readonly noRemoteTimeoutMs: number;
  readonly holdTimeoutMs: number;
}

export interface ChannelIdentity {
  /** Random, made by the control side: sans-IO code draws no lots. All 32-bit. */
  readonly ssrc: number;
  readonly firstSequence: number;
  readonly firstTimestamp: number;
  /** Seeds the jitter of the RTCP interval. */
  readonly seed: number;
  readonly cname: string;
}

export interface ChannelInit extends ChannelIdentity {
  readonly settings: MediaSettings;
}

/** Audio in memory shared by all threads: 8 kHz mono PCM16. */
export interface Clip {
  readonly samples: SharedArrayBuffer;
  readonly startSample: number;
  /** Exclusive. */
  readonly stopSample: number;
  /** Times it is played; Infinity: endlessly. */
  readonly plays: number;
}

export interface PlaybackPosition {
  readonly playbackId: string;
  readonly paused: boolean;
  readonly positionMs: number;
}

export type PlaybackEnd = 'completed' | 'stopped' | 'replaced' | 'interrupted-by-dtmf' | 'channel-closed';
export type RecordingEnd = 'stopped' | 'max-duration' | 'channel-closed';

/** Counters of a channel. Wall-clock times in Unix ms; -1 or null where nothing has been seen yet. */
export interface MediaStatistics {
  readonly received: {
    readonly packets: number;
    readonly bytes: number;
    readonly lost: number;
    readonly expected: number;
    readonly reordered: number;
    readonly duplicates: number;
    readonly late: number;
    readonly jitterMs: number;
    readonly maxJitterMs: number;
    readonly ssrc: number;
    readonly ssrcChanges: number;
    readonly payloadType: number;
    readonly firstPacketUnixMs: number;
    readonly lastPacketUnixMs: number;
    readonly droppedSource: number;
    readonly droppedMalformed: number;
    readonly droppedPayloadType: number;
    readonly droppedDirection: number;
    readonly mos: number | null;
  };
  readonly sent: {
    readonly packets: number;
    readonly bytes: number;
    readonly errors: number;
    readonly firstPacketUnixMs: number;
    readonly lastPacketUnixMs: number;
    readonly remote: {
      readonly lost: number;
      readonly lostRatio: number;
      readonly jitterMs: number;
      readonly mos: number;
    } | null;
  };
  readonly rtcp: {
    readonly received: number;
    readonly sent: number;
    readonly malformed: number;
    readonly droppedSource: number;
    readonly roundTripMs: number | null;
  };
  readonly dtmfReceived: number;
  readonly dtmfSent: number;
  readonly sampleUnixMs: number;
}

/** Where a channel takes media from and sends it to. */
export interface LatchState {
  /** Null until a packet was accepted. */
  readonly rtpSource: AddressWords | null;
  readonly rtcpSource: AddressWords | null;
  readonly locked: boolean;
  /** Sources that proved themselves and were refused while another talked: somebody tries to get in. */
  readonly challenges: number;
}

export type ChannelMediaEvent =
  | {
      readonly type: 'media-started';
      readonly source: AddressWords;
      readonly ssrc: number;
      readonly payloadType: number;
    }
  | { readonly type: 'media-idle'; readonly silentMs: number }
  /** An idle rule fired; the control side closes the channel. */
  | { readonly type: 'idle-timeout'; readonly rule: 'rtp' | 'no-remote' | 'hold'; readonly silentMs: number }
  | {
      readonly type: 'remote-source-changed';
      readonly flow: 'rtp' | 'rtcp';
      readonly previous: AddressWords | null;
      readonly current: AddressWords;
    }
  | { readonly type: 'dtmf-received'; readonly digit: string; readonly durationMs: number; readonly volumeDbm0: number }
  | { readonly type: 'dtmf-sent'; readonly dtmfId: string; readonly digit: string }
  | { readonly type: 'dtmf-finished'; readonly dtmfId: string; readonly digits: string; readonly completed: boolean }
  | { readonly type: 'playback-started'; readonly position: PlaybackPosition }
  | {
      readonly type: 'playback-finished';
      readonly position: PlaybackPosition;
      readonly end: PlaybackEnd;
      /** For `interrupted-by-dtmf`. */
      readonly digit: string;
    }
  /** Audio of a recording: interleaved PCM16 in the machine's byte order, transferred, to be appended to the file. */
  | { readonly type: 'recording-chunk'; readonly recordingId: string; readonly audio: ArrayBuffer }
  /** No chunk follows. Not sent for `stopRecording`, whose result says the same. */
  | { readonly type: 'recording-finished'; readonly recordingId: string; readonly end: RecordingEnd };

export interface ChannelContract extends MediaContract {
  init: ChannelInit;
  opened: null;
  commands: {
    /** Replaces all settings; a remote that differs starts learning anew. */
    update: { args: MediaSettings; result: null };
    statistics: { args: null; result: MediaStatistics };
    latch: { args: null; result: LatchState };
    /** Both channels must be on this thread; a bridge that either had ends. */
    bridge: { args: { peerChannelId: string }; result: { kind: 'relay' | 'transcode' } };
    /** Bridges with a channel of another instance through the socket in `Role.peerLeg`: exact address, no latch. */
    bridgeLeg: {
      args: { peerAddress: AddressWords; peerFormats: MediaFormats };
      result: { kind: 'relay' | 'transcode' };
    };
    /** Returns the local channel it was bridged with, if any: that one is unbridged too. */
    unbridge: { args: null; result: { peerChannelId: string | null } };
    /** A playback that is under way ends as `replaced`. */
    startPlayback: {
      args: { playbackId: string; clips: readonly Clip[]; plays: number; interruptOnDtmf: boolean };
      result: PlaybackPosition;
    };
    /** Null: no such playback. The same for the three below. */
    getPlayback: { args: { playbackId: string }; result: PlaybackPosition | null };
    pausePlayback: { args: { playbackId: string }; result: PlaybackPosition | null };
    resumePlayback: { args: { playbackId: string }; result: PlaybackPosition | null };
    /** `playback-finished` follows. */
    stopPlayback: { args: { playbackId: string }; result: PlaybackPosition | null };
    startRecording: {
      args: {
        recordingId: string;
        stereo: boolean;
        takesReceived: boolean;
        takesSent: boolean;
        /** 0: no limit. */
        maxDurationMs: number;
        paused: boolean;
      };
      result: null;
    };
    /** False: no such recording. The same for the two below. */
    pauseRecording: { args: { recordingId: string }; result: boolean };
    resumeRecording: { args: { recordingId: string }; result: boolean };
    /** All chunks have been emitted when this returns. */
    stopRecording: { args: { recordingId: string }; result: boolean };
    /** Digits queue behind those that are still being sent. */
    sendDtmf: {
      args: { dtmfId: string; digits: string; digitMs: number; gapMs: number; volumeDbm0: number };
      result: { durationMs: number };
    };
  };
  event: ChannelMediaEvent;
  snapshot: ChannelSnapshot;
  closing: null;
  closed: MediaStatistics;
}

/** Counters of the program on each media thread, over all its channels, living and closed. */
export const CHANNEL_COUNTERS = [
  'rtpReceived',
  'rtpReceivedBytes',
  'rtpSent',
  'rtpSentBytes',
  'rtcpReceived',
  'rtcpSent',
  'droppedSource',
  'droppedMalformed',
  'droppedPayloadType',
  'droppedDirection',
  'packetsTranscoded',
  'framesGenerated',
] as const;
