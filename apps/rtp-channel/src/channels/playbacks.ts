import { ServiceError } from '@mediaplane/control';
import { PlaybackFinishReason, PlaybackState } from '@mediaplane/proto';
import type { Playback } from '@mediaplane/proto';
import { FileError } from '../files/errors.ts';
import type { Prompts } from '../files/prompts.ts';
import { SAMPLE_RATE_HZ } from '../media/contract.ts';
import type { Clip, PlaybackEnd, PlaybackPosition } from '../media/contract.ts';
import type { PlaybackOrder, PlaybackPart } from '../validation/playback-request.ts';
import type { ChannelContext } from './channel-context.ts';
import { recordChannel } from './describe.ts';
import { apiError, playbackNotFound } from './errors.ts';
import type { LiveChannel } from './live-channel.ts';
import { randomId } from './random-id.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** Starts and steers playbacks; the audio itself is sent by media threads from shared memory. */
export class Playbacks {
  readonly #context: ChannelContext;
  readonly #prompts: Prompts;

  constructor(context: ChannelContext, prompts: Prompts) {
    this.#context = context;
    this.#prompts = prompts;
  }

  /** Reads and decodes what is to be played. Takes as long as the disk; nothing of the channel is needed. */
  async load(order: PlaybackOrder): Promise<Clip[]> {
    const clips: Clip[] = [];
    for (const part of order.parts) clips.push(await this.#clip(part));
    return clips;
  }

  async start(channel: LiveChannel, order: PlaybackOrder, clips: readonly Clip[]): Promise<Playback> {
    const { playbacks } = channel.busy();
    const playbackId = randomId('pb_');
    const playback = { playbackId, state: PlaybackState.PLAYING, positionMs: 0, startTime: new Date() };
    // Before the media thread knows it: `playback-started` may be here before its answer.
    playbacks.set(playbackId, playback);
    try {
      const { plays, interruptOnDtmf } = order;
      await this.#context.media.command(channel.id, 'startPlayback', { playbackId, clips, plays, interruptOnDtmf });
    } catch (error) {
      playbacks.delete(playbackId);
      throw apiError(error);
    }
    recordChannel(this.#context, channel);
    return playback;
  }

  async pause(channel: LiveChannel, playbackId: string): Promise<Playback> {
    const before = this.#require(channel, playbackId);
    const position = await this.#context.media.command(channel.id, 'pausePlayback', { playbackId });
    const playback = this.#moved(channel, before, position);
    if (before.state !== PlaybackState.PAUSED) {
      this.#context.events.publish(channel, { $case: 'playbackPaused', value: { playback } });
    }
    return playback;
  }

  async resume(channel: LiveChannel, playbackId: string): Promise<Playback> {
    const before = this.#require(channel, playbackId);
    const position = await this.#context.media.command(channel.id, 'resumePlayback', { playbackId });
    const playback = this.#moved(channel, before, position);
    if (before.state !== PlaybackState.PLAYING) {
      this.#context.events.publish(channel, { $case: 'playbackResumed', value: { playback } });
    }
    return playback;
  }

  async stop(channel: LiveChannel, playbackId: string): Promise<Playback> {
    const before = this.#require(channel, playbackId);
    const position = await this.#context.media.command(channel.id, 'stopPlayback', { playbackId });
    if (position === null) throw playbackNotFound(playbackId);
    return { ...before, positionMs: position.positionMs };
  }

  onStarted(channel: LiveChannel, { playbackId }: PlaybackPosition): void {
    const playback = channel.activity?.playbacks.get(playbackId);
    if (playback === undefined) return;
    this.#context.events.publish(channel, { $case: 'playbackStarted', value: { playback } });
  }

  onFinished(
    channel: LiveChannel,
    { playbackId, positionMs }: PlaybackPosition,
    end: PlaybackEnd,
    digit: string,
  ): void {
    const playback = channel.activity?.playbacks.get(playbackId);
    if (playback === undefined) return;
    channel.activity?.playbacks.delete(playbackId);
    this.#context.events.publish(channel, {
      $case: 'playbackFinished',
      value: { playback: { ...playback, positionMs }, reason: FINISH_REASONS[end], digit },
    });
    if (channel.closing === undefined) recordChannel(this.#context, channel);
  }

  /** The channel is gone: whatever its media thread has not ended. */
  finishAll(channel: LiveChannel): void {
    for (const { playbackId, positionMs } of [...(channel.activity?.playbacks.values() ?? [])]) {
      this.onFinished(channel, { playbackId, positionMs, paused: false }, 'channel-closed', '');
    }
  }

  #require(channel: LiveChannel, playbackId: string): Playback {
    const playback = channel.activity?.playbacks.get(playbackId);
    if (playback === undefined) throw playbackNotFound(playbackId);
    return playback;
  }

  #moved(channel: LiveChannel, before: Playback, position: PlaybackPosition | null): Playback {
    if (position === null) throw playbackNotFound(before.playbackId);
    const state = position.paused ? PlaybackState.PAUSED : PlaybackState.PLAYING;
    const playback = { ...before, state, positionMs: position.positionMs };
    channel.activity?.playbacks.set(playback.playbackId, playback);
    return playback;
  }

  async #clip({ source, field, startField, startMs, stopMs, plays }: PlaybackPart): Promise<Clip> {
    const { samples, sampleCount } = await this.#prompt(source, field);
    if (sampleCount === 0) throw ServiceError.invalidField(field, 'must have audio');
    const startSample = startMs * SAMPLES_PER_MS;
    if (startSample >= sampleCount) {
      const durationMs = Math.floor(sampleCount / SAMPLES_PER_MS);
      throw ServiceError.invalidField(startField, `must be below the length of the audio, ${durationMs} ms`);
    }
    return { samples, startSample, stopSample: Math.min(stopMs * SAMPLES_PER_MS, sampleCount), plays };
  }

  async #prompt(source: PlaybackPart['source'], field: string) {
    try {
      return await ('file' in source ? this.#prompts.fromFile(source.file) : this.#prompts.fromBytes(source.inline));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (error.code === 'not-found') {
        throw new ServiceError('NOT_FOUND', 'MEDIA_FILE_NOT_FOUND', error.message, { cause: error });
      }
      if (error.code === 'system') {
        throw new ServiceError('FAILED_PRECONDITION', 'MEDIA_FILE_UNREADABLE', error.message, { cause: error });
      }
      throw ServiceError.invalidField(field, error.message);
    }
  }
}

const FINISH_REASONS: Record<PlaybackEnd, PlaybackFinishReason> = {
  completed: PlaybackFinishReason.COMPLETED,
  stopped: PlaybackFinishReason.STOPPED,
  replaced: PlaybackFinishReason.REPLACED,
  'interrupted-by-dtmf': PlaybackFinishReason.INTERRUPTED_BY_DTMF,
  'channel-closed': PlaybackFinishReason.CHANNEL_CLOSED,
};
