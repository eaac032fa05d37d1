import { requireSessionId, ServiceError } from '@mediaplane/control';
import type { CallContext } from '@mediaplane/control';
import { ChannelView } from '@mediaplane/proto';
import type { Channel, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { requestId } from '@mediaplane/service';
import type { Handlers } from '@mediaplane/service';
import type { Channels } from '../channels/channels.ts';
import { validateReason } from '../validation/close-request.ts';
import { validateBatchOpen, validateOpen } from '../validation/open-request.ts';
import type { SettingsRules } from '../validation/settings.ts';
import { change, CHANNEL_KIND, guarded, owned } from './routes.ts';

/** Methods on channels themselves. */
export function channelHandlers(
  channels: Channels,
  rules: SettingsRules,
  /** GetChannel of whatever instance owns it. */
  getChannel: (channelId: string) => Promise<Channel | undefined>,
) {
  const view = async (channelId: string) => ({ channel: await channels.describe(channelId) });
  return {
    openChannel: {
      route: { kind: 'placed', near: (request) => request.nearChannelId },
      requestId,
      handler: guarded(async (request, context) => {
        const near = validateNear(request.nearChannelId);
        const [channel] = await channels.opening.open([validateOpen(request, rules)], near, wanted(request, context));
        return { channel };
      }),
    },
    batchOpenChannels: {
      route: {
        kind: 'placed',
        near: (request) => request.nearChannelId,
        sessions: (request) => Math.max(request.requests.length, 1),
      },
      requestId,
      handler: guarded(async (request, context) => {
        const near = validateNear(request.nearChannelId);
        const settings = validateBatchOpen(request.requests, rules);
        return { channels: await channels.opening.open(settings, near, wanted(request, context)) };
      }),
    },
    getChannel: {
      route: owned(),
      handler: guarded(async (request) => ({
        channel: await channels.describe(request.channelId, request.view === ChannelView.STATS),
      })),
    },
    updateChannel: change(async (request) => {
      await channels.updates.update(request);
      return view(request.channelId);
    }),
    bridgeChannels: change(async ({ channelId, peerChannelId }) => {
      requireSessionId('peer_channel_id', peerChannelId, CHANNEL_KIND);
      if (peerChannelId === channelId)
        throw ServiceError.invalidField('peer_channel_id', 'must differ from channel_id');
      const peerChannel = await channels.bridge(channelId, peerChannelId);
      return { ...(await view(channelId)), peerChannel: peerChannel ?? (await getChannel(peerChannelId)) };
    }),
    unbridgeChannel: change(async ({ channelId }) => {
      await channels.unbridge(channelId);
      return view(channelId);
    }),
    closeChannel: change(async ({ channelId, reasonText }) => ({
      record: await channels.close(channelId, validateReason(reasonText)),
    })),
  } satisfies Partial<Handlers<RtpChannelServiceDefinition>>;
}

/** A caller that gave up learns the ids when it repeats the call; without a request id it never does. */
function wanted(request: { readonly requestId: string }, { signal }: CallContext): AbortSignal | undefined {
  return request.requestId === '' ? signal : undefined;
}

/** Empty, or the id of a channel, which need not exist any more. @throws ServiceError INVALID_ARGUMENT */
function validateNear(nearChannelId: string): string {
  if (nearChannelId !== '') requireSessionId('near_channel_id', nearChannelId, CHANNEL_KIND);
  return nearChannelId;
}
