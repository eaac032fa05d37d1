import { ChannelState, CloseReason } from '@mediaplane/proto';
import type { CallRecord } from '@mediaplane/proto';
import type { Bridges } from './bridges.ts';
import type { ChannelContext } from './channel-context.ts';
import type { Dtmf } from './dtmf.ts';
import { apiError } from './errors.ts';
import type { LiveChannel } from './live-channel.ts';
import type { Playbacks } from './playbacks.ts';
import type { RecentlyClosed } from './recently-closed.ts';
import type { Recordings } from './recordings.ts';
import { channelStatistics } from './statistics.ts';

export interface ClosingOptions {
  readonly context: ChannelContext;
  readonly bridges: Bridges;
  readonly playbacks: Playbacks;
  readonly recordings: Recordings;
  readonly dtmf: Dtmf;
  readonly recentlyClosed: RecentlyClosed;
  /** Once for each channel, with what its log line says. */
  onClosed(record: CallRecord, reason: string): void;
}

/** Ends channels. Whatever the cause, all that was started has finished before `closed`, and `closed` comes last. */
export class Closing {
  readonly #options: ClosingOptions;
  readonly #context: ChannelContext;

  constructor(options: ClosingOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  /** Everybody who closes a channel gets the record of the first. */
  close(channel: LiveChannel, reason: CloseReason, text = ''): Promise<CallRecord> {
    channel.closing ??= channel.turns.run(() => this.#end(channel, reason, text));
    return channel.closing;
  }

  /** For causes that nobody waits for: timers, idle rules, the death of a thread. */
  closeUnasked(channel: LiveChannel, reason: CloseReason, text = ''): void {
    this.close(channel, reason, text).catch((error: unknown) =>
      this.#context.log.error({ channelId: channel.id, error }, 'channel not closed'),
    );
  }

  async #end(channel: LiveChannel, reason: CloseReason, text: string): Promise<CallRecord> {
    const { table, media, ports, directory, events, instanceId } = this.#context;
    const { playbacks, recordings, dtmf, bridges } = this.#options;
    channel.deadlines?.stop();
    const kernelDrops = ports.kernelDrops(channel.ports);
    const last = channel.lostCause === undefined ? await media.close(channel.id, null).catch(apiError) : undefined;
    const statistics = last === undefined || last instanceof Error ? undefined : channelStatistics(last, kernelDrops);
    const lost = channel.lostCause ?? (last instanceof Error ? last.message : undefined);

    playbacks.finishAll(channel);
    dtmf.finishAll(channel);
    bridges.unlink(channel);
    ports.release(channel.ports);
    await recordings.finishAll(channel);
    table.delete(channel);

    const { record: lived } = channel;
    lived.state = ChannelState.CLOSED;
    const record: CallRecord = {
      channelId: channel.id,
      instanceId,
      reason: lost !== undefined && reason !== CloseReason.INSTANCE_LOST ? CloseReason.INTERNAL_ERROR : reason,
      text: lost ?? text,
      createTime: lived.createTime,
      closeTime: new Date(),
      durationMs: Math.round(performance.now() - channel.openedMs),
      statistics,
      labels: { ...channel.labels },
    };
    events.publish(channel, { $case: 'closed', value: { record } });
    directory.remove(channel.id);
    this.#options.recentlyClosed.add(record);
    this.#logRecord(record);
    this.#options.onClosed(record, CLOSE_REASON_NAMES[record.reason] ?? 'unspecified');
    return record;
  }

  /** The call record: one line for each channel, whatever else is logged. */
  #logRecord(record: CallRecord): void {
    const { statistics } = record;
    this.#context.log.info(
      {
        channelId: record.channelId,
        reason: CLOSE_REASON_NAMES[record.reason],
        text: record.text,
        createTime: record.createTime?.toISOString(),
        durationMs: record.durationMs,
        labels: record.labels,
        received: statistics?.received,
        sent: statistics?.sent,
        rtcp: statistics?.rtcp,
        dtmfReceived: statistics?.dtmfReceived,
        dtmfSent: statistics?.dtmfSent,
      },
      'channel closed',
    );
  }
}

/** As logs and metrics write them. */
export const CLOSE_REASON_NAMES: Readonly<Record<number, string>> = {
  [CloseReason.REQUESTED]: 'requested',
  [CloseReason.RTP_IDLE_TIMEOUT]: 'rtp-idle-timeout',
  [CloseReason.MAX_DURATION]: 'max-duration',
  [CloseReason.CONTROLLER_LEASE_EXPIRED]: 'controller-lease-expired',
  [CloseReason.SHUTDOWN]: 'shutdown',
  [CloseReason.INSTANCE_LOST]: 'instance-lost',
  [CloseReason.INTERNAL_ERROR]: 'internal-error',
};
