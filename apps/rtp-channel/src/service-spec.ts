import type { DirectoryEntry } from '@mediaplane/control';
import { Channel, ChannelEvent, CloseReason } from '@mediaplane/proto';
import { startService } from '@mediaplane/service';
import type { RunningService, ServiceSpec, StartOptions } from '@mediaplane/service';
import packageJson from '../package.json' with { type: 'json' };
import { CHANNEL_KIND } from './api/routes.ts';
import { rtpChannelConfig } from './config.ts';
import { RtpChannelModule } from './rtp-channel.module.ts';
import { RtpChannel } from './rtp-channel.ts';

type Spec = ServiceSpec<typeof rtpChannelConfig, Channel, ChannelEvent>;

/** Starts the service in this process: alone in main.ts, among others in apps/standalone, and in tests. */
export function startRtpChannel(options?: StartOptions): Promise<RunningService> {
  return startService(rtpChannelSpec(), options);
}

function rtpChannelSpec(): Spec {
  let instanceId = '';
  return {
    name: 'rtp-channel',
    kind: CHANNEL_KIND,
    version: packageJson.version,
    config: rtpChannelConfig,
    // Two of the descriptors are a reserve for what some channels have besides their own sockets: the one of a leg to another
    // instance, the file of a recording.
    needs: { ports: 2, descriptors: 4 },
    record: Channel,
    event: ChannelEvent,
    lostEvent: (lost) => lostEvent(lost, instanceId),
    module(runtime) {
      ({ instanceId } = runtime);
      return RtpChannelModule.register(runtime);
    },
    parts(app) {
      const service = app.get(RtpChannel);
      const { apis, channels } = service;
      return {
        apis,
        sessions: () => channels.count,
        closeAll: () => channels.closeAll(),
        closeOrphans: (ids) => channels.closeOrphans(ids),
        unhealthy: () => service.unhealthy(),
        status: () => service.status(),
      };
    },
  };
}

/** The last event of a channel whose instance was lost, told by a survivor, who knows what the directory knew. */
export function lostEvent({ sessionId, instanceId, record }: DirectoryEntry<Channel>, reporter: string): ChannelEvent {
  const closeTime = new Date();
  const { createTime } = record;
  const labels = record.settings?.labels ?? {};
  return {
    eventId: `${sessionId}.lost`,
    channelId: sessionId,
    eventTime: closeTime,
    sequence: 0,
    instanceId: reporter,
    labels,
    detail: {
      $case: 'closed',
      value: {
        record: {
          channelId: sessionId,
          instanceId,
          reason: CloseReason.INSTANCE_LOST,
          text: '',
          createTime,
          closeTime,
          durationMs: createTime === undefined ? 0 : Math.max(closeTime.getTime() - createTime.getTime(), 0),
          statistics: undefined,
          labels,
        },
      },
    },
  };
}
