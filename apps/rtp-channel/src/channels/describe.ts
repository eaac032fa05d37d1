import type { Channel, LatchStatus } from '@mediaplane/proto';
import { PlaybackState } from '@mediaplane/proto';
import type { LatchState } from '../media/contract.ts';
import { transportAddress } from '../validation/remote-endpoint.ts';
import type { ChannelContext } from './channel-context.ts';
import type { LiveChannel } from './live-channel.ts';
import { channelStatistics } from './statistics.ts';

/** The channel now, with what only its media thread knows. */
export async function describeChannel(
  context: ChannelContext,
  channel: LiveChannel,
  withStatistics = false,
): Promise<Channel> {
  const { media, ports } = context;
  const playbackIds = [...(channel.activity?.playbacks.keys() ?? [])];
  const [latch, statistics, positions] = await Promise.all([
    media.command(channel.id, 'latch', null),
    withStatistics ? media.command(channel.id, 'statistics', null) : undefined,
    Promise.all(playbackIds.map((playbackId) => media.command(channel.id, 'getPlayback', { playbackId }))),
  ]);
  for (const position of positions) {
    if (position === null) continue;
    const playback = channel.activity?.playbacks.get(position.playbackId);
    if (playback === undefined) continue;
    const state = position.paused ? PlaybackState.PAUSED : PlaybackState.PLAYING;
    channel.activity?.playbacks.set(position.playbackId, { ...playback, state, positionMs: position.positionMs });
  }
  return {
    ...channelSnapshot(context, channel),
    latch: latchStatus(latch),
    statistics: statistics && channelStatistics(statistics, ports.kernelDrops(channel.ports)),
  };
}

/** The channel as far as the control thread knows it. */
export function channelSnapshot(context: ChannelContext, channel: LiveChannel): Channel {
  const { record, activity } = channel;
  return {
    ...record,
    playbacks: activity === undefined ? record.playbacks : [...activity.playbacks.values()],
    recordings: activity === undefined ? record.recordings : [...activity.recordings.values()].map((r) => r.view()),
    leaseExpireTime: channel.deadlines?.leaseExpireTime(),
    directoryPending: context.isPending(channel.id),
  };
}

/** Writes the channel's record to the directory, as it is now. */
export function recordChannel({ directory }: ChannelContext, channel: LiveChannel): void {
  if (channel.muted) return;
  const { record, activity } = channel;
  if (activity !== undefined) {
    record.playbacks = [...activity.playbacks.values()];
    record.recordings = [...activity.recordings.values()].map((recording) => recording.view());
  }
  record.leaseExpireTime = channel.deadlines?.leaseExpireTime();
  directory.put(channel.id, record);
}

export function latchStatus({ rtpSource, rtcpSource, locked, challenges }: LatchState): LatchStatus {
  return {
    rtpSource: rtpSource === null ? undefined : transportAddress(rtpSource),
    rtcpSource: rtcpSource === null ? undefined : transportAddress(rtcpSource),
    locked,
    challenges,
  };
}
