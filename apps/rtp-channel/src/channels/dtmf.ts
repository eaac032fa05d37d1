import { ServiceError } from '@mediaplane/control';
import { DtmfFinishReason } from '@mediaplane/proto';
import type { SendDtmfResponse } from '@mediaplane/proto';
import type { DtmfOrder } from '../validation/dtmf-request.ts';
import { mediaSettings } from '../validation/settings.ts';
import type { ChannelContext } from './channel-context.ts';
import type { LiveChannel } from './live-channel.ts';
import { randomId } from './random-id.ts';

/** Of one channel, with the one that is being sent. */
const MAX_RUNS = 16;

/** Sends digits, and sees to it that each run of them is finished before its channel is. */
export class Dtmf {
  readonly #context: ChannelContext;

  constructor(context: ChannelContext) {
    this.#context = context;
  }

  async send(channel: LiveChannel, order: DtmfOrder): Promise<SendDtmfResponse> {
    await this.#requirePeer(channel);
    const { dtmfRuns } = channel.busy();
    if (dtmfRuns.size >= MAX_RUNS) {
      const message = `a channel has at most ${MAX_RUNS} runs of digits to send`;
      throw new ServiceError('RESOURCE_EXHAUSTED', 'TOO_MANY_DTMF_RUNS', message);
    }
    const dtmfId = randomId('dt_');
    // Before the media thread knows it: `dtmf-finished` may be here before its answer.
    dtmfRuns.add(dtmfId);
    try {
      const { durationMs } = await this.#context.media.command(channel.id, 'sendDtmf', { dtmfId, ...order });
      return { dtmfId, durationMs };
    } catch (error) {
      dtmfRuns.delete(dtmfId);
      throw error;
    }
  }

  onFinished(channel: LiveChannel, dtmfId: string, digits: string, completed: boolean): void {
    if (channel.activity?.dtmfRuns.delete(dtmfId) !== true) return;
    const reason = completed ? DtmfFinishReason.COMPLETED : DtmfFinishReason.ABORTED;
    this.#context.events.publish(channel, { $case: 'dtmfFinished', value: { dtmfId, digits, reason } });
  }

  /** The channel is gone: whatever its media thread has not ended. */
  finishAll(channel: LiveChannel): void {
    for (const dtmfId of [...(channel.activity?.dtmfRuns ?? [])]) this.onFinished(channel, dtmfId, '', false);
  }

  /** @throws ServiceError FAILED_PRECONDITION */
  async #requirePeer(channel: LiveChannel): Promise<void> {
    const { settings } = channel.record;
    if (settings?.codecs?.sendDtmf === undefined) {
      const message = 'the codecs of the channel have no telephone-event to send';
      throw new ServiceError('FAILED_PRECONDITION', 'DTMF_NOT_NEGOTIATED', message);
    }
    if (!mediaSettings(settings).sends) {
      const message = 'the direction of the channel does not send';
      throw new ServiceError('FAILED_PRECONDITION', 'DIRECTION_DOES_NOT_SEND', message);
    }
    if (settings.remote !== undefined) return;
    const { rtpSource } = await this.#context.media.command(channel.id, 'latch', null);
    if (rtpSource === null) {
      throw new ServiceError('FAILED_PRECONDITION', 'NO_REMOTE', 'the address of the peer is not known yet');
    }
  }
}
