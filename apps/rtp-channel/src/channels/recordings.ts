import { ServiceError } from '@mediaplane/control';
import { RecordingChannelMode, RecordingDirection, RecordingFinishReason } from '@mediaplane/proto';
import type { Recording } from '@mediaplane/proto';
import type { ContainedFolder } from '../files/contained-folder.ts';
import { FileError } from '../files/errors.ts';
import { inTime } from '../files/in-time.ts';
import { RecordingFile } from '../files/recording-file.ts';
import type { RecordingFault, RecordingFileOptions } from '../files/recording-file.ts';
import type { RecordingEnd } from '../media/contract.ts';
import type { RecordingOrder } from '../validation/recording-request.ts';
import type { ChannelContext } from './channel-context.ts';
import { recordChannel } from './describe.ts';
import { apiError, recordingNotFound } from './errors.ts';
import type { LiveChannel } from './live-channel.ts';
import { LiveRecording } from './live-recording.ts';
import { randomId } from './random-id.ts';
import type { RecordingArchive } from './recording-archive.ts';

const MAX_RECORDINGS = 8;
/** For an empty file to be there. */
const OPEN_WITHIN_MS = 2000;
/** For the last of the audio. A channel that closes waits for it. */
const FINISH_WITHIN_MS = 5000;

export interface RecordingsOptions {
  readonly context: ChannelContext;
  readonly folder: ContainedFolder;
  readonly archive: RecordingArchive;
  /** Audio of one recording that may wait for the disk. */
  readonly maxWaitingBytes: number;
}

/** Starts and ends recordings. Whatever ends one, its file is closed before `recording_finished` is published. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #context: ChannelContext;
  /** Recordings that ended because the disk failed or was too slow, since the start. */
  faults = 0;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  /** The file is made before the channel's turn: whoever closes the channel does not wait for a slow disk. */
  async start(channelId: string, order: RecordingOrder): Promise<Recording> {
    const { table } = this.#context;
    const opener = table.require(channelId);
    requireRoom(opener);
    const recordingId = randomId('rec_');
    const name = order.file === '' ? `${channelId}/${recordingId}.wav` : order.file;
    const file = await this.#openFile(opener, recordingId, name, order);
    try {
      return await table.change(channelId, (channel) =>
        this.#begin(channel, order, new LiveRecording(recordingId, name, order, file)),
      );
    } catch (error) {
      await this.#discard(name, file);
      throw error;
    }
  }

  async #begin(channel: LiveChannel, order: RecordingOrder, recording: LiveRecording): Promise<Recording> {
    requireRoom(channel);
    const { recordings } = channel.busy();
    const { recordingId } = recording;
    recordings.set(recordingId, recording);
    try {
      await this.#context.media.command(channel.id, 'startRecording', {
        recordingId,
        stereo: order.channelMode === RecordingChannelMode.STEREO,
        takesReceived: order.direction !== RecordingDirection.OUT,
        takesSent: order.direction !== RecordingDirection.IN,
        maxDurationMs: order.maxDurationMs,
        paused: order.startPaused,
      });
    } catch (error) {
      recordings.delete(recordingId);
      throw apiError(error);
    }
    const view = recording.view();
    this.#options.archive.add(channel.id, recordingId);
    this.#context.events.publish(channel, { $case: 'recordingStarted', value: { recording: view } });
    recordChannel(this.#context, channel);
    return view;
  }

  async pause(channel: LiveChannel, recordingId: string): Promise<Recording> {
    const recording = this.#require(channel, recordingId);
    if (!(await this.#context.media.command(channel.id, 'pauseRecording', { recordingId }))) {
      throw recordingNotFound(recordingId);
    }
    const changed = !recording.paused;
    recording.paused = true;
    const view = recording.view();
    if (changed) this.#context.events.publish(channel, { $case: 'recordingPaused', value: { recording: view } });
    return view;
  }

  async resume(channel: LiveChannel, recordingId: string): Promise<Recording> {
    const recording = this.#require(channel, recordingId);
    if (!(await this.#context.media.command(channel.id, 'resumeRecording', { recordingId }))) {
      throw recordingNotFound(recordingId);
    }
    const changed = recording.paused;
    recording.paused = false;
    const view = recording.view();
    if (changed) this.#context.events.publish(channel, { $case: 'recordingResumed', value: { recording: view } });
    return view;
  }

  async stop(channel: LiveChannel, recordingId: string): Promise<Recording> {
    const recording = this.#require(channel, recordingId);
    if (!(await this.#context.media.command(channel.id, 'stopRecording', { recordingId }))) {
      // It has just ended by itself.
      if (recording.finishing === undefined) throw recordingNotFound(recordingId);
      return recording.finishing;
    }
    return this.#finish(channel, recording, RecordingFinishReason.STOPPED);
  }

  onChunk(channel: LiveChannel, recordingId: string, audio: ArrayBuffer): void {
    channel.activity?.recordings.get(recordingId)?.file.append(audio);
  }

  onFinished(channel: LiveChannel, recordingId: string, end: RecordingEnd): void {
    const recording = channel.activity?.recordings.get(recordingId);
    if (recording !== undefined) void this.#finish(channel, recording, FINISH_REASONS[end]);
  }

  /** The channel closes: resolves when every file is complete and every `recording_finished` published. */
  async finishAll(channel: LiveChannel): Promise<void> {
    const recordings = [...(channel.activity?.recordings.values() ?? [])];
    await Promise.all(
      recordings.map((recording) => this.#finish(channel, recording, RecordingFinishReason.CHANNEL_CLOSED)),
    );
  }

  #require(channel: LiveChannel, recordingId: string): LiveRecording {
    const recording = channel.activity?.recordings.get(recordingId);
    if (recording === undefined) throw recordingNotFound(recordingId);
    return recording;
  }

  async #openFile(
    channel: LiveChannel,
    recordingId: string,
    name: string,
    order: RecordingOrder,
  ): Promise<RecordingFile> {
    const options = {
      stereo: order.channelMode === RecordingChannelMode.STEREO,
      maxWaitingBytes: this.#options.maxWaitingBytes,
      finishWithinMs: FINISH_WITHIN_MS,
      onFault: (fault: RecordingFault) => this.#onFault(channel, recordingId, fault),
    };
    try {
      const opening = this.#createFile(name, options);
      return await inTime(opening, OPEN_WITHIN_MS, (late) => void this.#discard(name, late));
    } catch (error) {
      throw recordingError(name, error);
    }
  }

  async #createFile(name: string, options: RecordingFileOptions): Promise<RecordingFile> {
    const { folder } = this.#options;
    const sink = await folder.create(name);
    try {
      return await RecordingFile.start(sink, options);
    } catch (error) {
      await folder.remove(name).catch(() => undefined);
      throw error;
    }
  }

  /** A file that nothing will be recorded to. */
  async #discard(name: string, file: RecordingFile): Promise<void> {
    await file.finish();
    await this.#options.folder.remove(name).catch(() => undefined);
  }

  #onFault(channel: LiveChannel, recordingId: string, fault: RecordingFault): void {
    const recording = channel.activity?.recordings.get(recordingId);
    if (recording === undefined) return;
    if (fault.kind !== 'full') {
      this.faults += 1;
      this.#context.log.warn({ channelId: channel.id, recordingId, fault }, 'recording ended early');
    }
    // Its answer says nothing new: the channel may have ended meanwhile.
    this.#context.media.command(channel.id, 'stopRecording', { recordingId }).catch(() => undefined);
    void this.#finish(channel, recording, FAULT_REASONS[fault.kind]);
  }

  /** Once for each recording, whatever comes first. */
  #finish(channel: LiveChannel, recording: LiveRecording, reason: RecordingFinishReason): Promise<Recording> {
    recording.finishing ??= this.#close(channel, recording, reason);
    return recording.finishing;
  }

  async #close(channel: LiveChannel, recording: LiveRecording, wanted: RecordingFinishReason): Promise<Recording> {
    await recording.file.finish();
    // The last of the audio may have met a full disk after somebody had ended the recording.
    const { fault } = recording.file;
    const reason = fault === undefined ? wanted : FAULT_REASONS[fault.kind];
    const error = fault?.kind === 'write-failed' ? fault.error : '';
    channel.activity?.recordings.delete(recording.recordingId);
    const view = recording.view(true);
    this.#options.archive.finish(channel.id, view);
    this.#context.events.publish(channel, {
      $case: 'recordingFinished',
      value: { recording: view, reason, error },
    });
    if (channel.closing === undefined) recordChannel(this.#context, channel);
    return view;
  }
}

const FINISH_REASONS: Record<RecordingEnd, RecordingFinishReason> = {
  stopped: RecordingFinishReason.STOPPED,
  'max-duration': RecordingFinishReason.MAX_DURATION,
  'channel-closed': RecordingFinishReason.CHANNEL_CLOSED,
};

const FAULT_REASONS: Record<RecordingFault['kind'], RecordingFinishReason> = {
  'write-failed': RecordingFinishReason.WRITE_FAILED,
  overrun: RecordingFinishReason.OVERRUN,
  full: RecordingFinishReason.MAX_DURATION,
};

/** @throws ServiceError TOO_MANY_RECORDINGS */
function requireRoom({ activity }: LiveChannel): void {
  if (activity === undefined || activity.recordings.size < MAX_RECORDINGS) return;
  const message = `a channel has at most ${MAX_RECORDINGS} recordings at once`;
  throw new ServiceError('RESOURCE_EXHAUSTED', 'TOO_MANY_RECORDINGS', message);
}

function recordingError(name: string, error: unknown): ServiceError {
  if (error instanceof FileError && (error.code === 'outside' || error.code === 'not-a-file')) {
    return ServiceError.invalidField('file', error.message);
  }
  if (error instanceof FileError && error.code === 'exists') {
    return new ServiceError('ALREADY_EXISTS', 'RECORDING_FILE_EXISTS', `there is a file ${name}`, { cause: error });
  }
  if (error instanceof FileError && error.code === 'too-slow') {
    return ServiceError.unavailable('RECORDING_DISK_SLOW', error.message, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ServiceError('FAILED_PRECONDITION', 'RECORDING_UNAVAILABLE', message, { cause: error });
}
