import { CloseReason, FlowKind } from '@mediaplane/proto';
import type { ChannelMediaEvent } from '../media/contract.ts';
import { transportAddress } from '../validation/remote-endpoint.ts';
import type { ChannelContext } from './channel-context.ts';
import type { EventDetail } from './channel-events.ts';
import type { Closing } from './closing.ts';
import { latchStatus, recordChannel } from './describe.ts';
import type { Dtmf } from './dtmf.ts';
import type { LiveChannel } from './live-channel.ts';
import type { Playbacks } from './playbacks.ts';
import type { Recordings } from './recordings.ts';

export interface MediaEventsOptions {
  readonly context: ChannelContext;
  readonly playbacks: Playbacks;
  readonly recordings: Recordings;
  readonly dtmf: Dtmf;
  readonly closing: Closing;
}

/** What media threads tell of channels, turned into what the API tells of them. */
export class MediaEvents {
  readonly #options: MediaEventsOptions;
  readonly #context: ChannelContext;

  constructor(options: MediaEventsOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  onEvent(channelId: string, event: ChannelMediaEvent): void {
    const channel = this.#context.table.get(channelId);
    if (channel === undefined) return;
    if (channel.announced) {
      this.handle(channel, event);
    } else {
      channel.early ??= [];
      channel.early.push(event);
    }
  }

  /** A session ended without being closed: its thread died or it threw. */
  onSessionLost(channelId: string, cause: string): void {
    const channel = this.#context.table.get(channelId);
    if (channel === undefined) return;
    channel.lostCause = cause;
    this.#context.log.error({ channelId, cause }, 'media session lost');
    if (channel.announced) this.#options.closing.closeUnasked(channel, CloseReason.INTERNAL_ERROR, cause);
  }

  handle(channel: LiveChannel, event: ChannelMediaEvent): void {
    const { playbacks, recordings, dtmf, closing } = this.#options;
    switch (event.type) {
      case 'recording-chunk':
        return recordings.onChunk(channel, event.recordingId, event.audio);
      case 'recording-finished':
        return recordings.onFinished(channel, event.recordingId, event.end);
      case 'playback-started':
        return playbacks.onStarted(channel, event.position);
      case 'playback-finished':
        return playbacks.onFinished(channel, event.position, event.end, event.digit);
      case 'dtmf-finished':
        return dtmf.onFinished(channel, event.dtmfId, event.digits, event.completed);
      case 'idle-timeout': {
        const text = `${event.rule}: nothing received for ${Math.round(event.silentMs)} ms`;
        return closing.closeUnasked(channel, CloseReason.RTP_IDLE_TIMEOUT, text);
      }
      default:
        this.#context.events.publish(channel, eventDetail(event));
        if (event.type === 'media-started' || event.type === 'remote-source-changed') void this.#recordLatch(channel);
    }
  }

  /** The directory shows what was learned; late, and without the call waiting for it. */
  async #recordLatch(channel: LiveChannel): Promise<void> {
    try {
      channel.record.latch = latchStatus(await this.#context.media.command(channel.id, 'latch', null));
    } catch {
      // It has closed meanwhile.
      return;
    }
    if (channel.closing === undefined) recordChannel(this.#context, channel);
  }
}

type PlainEvent = Extract<
  ChannelMediaEvent,
  { type: 'media-started' | 'media-idle' | 'remote-source-changed' | 'dtmf-received' | 'dtmf-sent' }
>;

/** Of events that say all there is to say. */
function eventDetail(event: PlainEvent): EventDetail {
  switch (event.type) {
    case 'media-started': {
      const { source, ssrc, payloadType } = event;
      return { $case: 'mediaStarted', value: { source: transportAddress(source), ssrc: ssrc >>> 0, payloadType } };
    }
    case 'media-idle':
      return { $case: 'mediaIdle', value: { silentMs: Math.round(event.silentMs) } };
    case 'remote-source-changed': {
      const { flow, previous, current } = event;
      const value = {
        flow: flow === 'rtp' ? FlowKind.RTP : FlowKind.RTCP,
        previous: previous === null ? undefined : transportAddress(previous),
        current: transportAddress(current),
      };
      return { $case: 'remoteSourceChanged', value };
    }
    case 'dtmf-received': {
      const { digit, durationMs, volumeDbm0 } = event;
      return { $case: 'dtmfReceived', value: { digit, durationMs: Math.round(durationMs), volumeDbm0 } };
    }
    case 'dtmf-sent':
      return { $case: 'dtmfSent', value: { dtmfId: event.dtmfId, digit: event.digit } };
  }
}
