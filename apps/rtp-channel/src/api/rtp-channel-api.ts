import type { Directory, Events, Router } from '@mediaplane/control';
import { ChannelView, RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { Channel, ChannelEvent } from '@mediaplane/proto';
import { defineApi } from '@mediaplane/service';
import type { Api } from '@mediaplane/service';
import type { Channels } from '../channels/channels.ts';
import type { RtpChannelConfig } from '../config.ts';
import type { SettingsRules } from '../validation/settings.ts';
import { batchClose } from '../watch/batch-close.ts';
import { listChannels } from '../watch/list-channels.ts';
import { watchChannels } from '../watch/watch-channels.ts';
import { channelHandlers } from './channel-handlers.ts';
import { fleetHandlers } from './fleet-handlers.ts';
import { mediaHandlers } from './media-handlers.ts';

export interface RtpChannelApiOptions {
  readonly channels: Channels;
  readonly rules: SettingsRules;
  readonly directory: Directory<Channel>;
  isPending(channelId: string): boolean;
  readonly events: Events<Channel, ChannelEvent>;
  readonly router: Router;
  readonly streams: RtpChannelConfig['streams'];
}

/** `mediaplane.rtp.v1.RtpChannelService`. */
export function rtpChannelApi(options: RtpChannelApiOptions): Api<RtpChannelServiceDefinition> {
  const { channels, rules, directory, events, router, streams } = options;
  const isPending = (channelId: string): boolean => options.isPending(channelId);
  const getChannel = async (channelId: string): Promise<Channel | undefined> =>
    (await router.call(api.methods.getChannel, { channelId, view: ChannelView.BASIC })).channel;
  const closeChannel = async (channelId: string, reasonText: string): Promise<void> => {
    await router.call(api.methods.closeChannel, { channelId, requestId: '', reasonText });
  };
  const api = defineApi(RtpChannelServiceDefinition, {
    ...channelHandlers(channels, rules, getChannel),
    ...mediaHandlers(channels, streams.maxReads),
    ...fleetHandlers(
      listChannels(directory, isPending),
      watchChannels(events, isPending),
      streams.maxWatches,
      batchClose(directory, closeChannel),
    ),
  });
  return api;
}
