import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { makeSessionId } from '@mediaplane/control';
import { MediaThreads } from '@mediaplane/media';
import { createUdpSockets, defaultImplementation, PortPool } from '@mediaplane/net';
import type { Channel, ChannelEvent } from '@mediaplane/proto';
import { netInterfaces, proveInterfaces } from '@mediaplane/service';
import type { ServedApi, ServiceRuntime } from '@mediaplane/service';
import { CHANNEL_KIND } from './api/routes.ts';
import { rtpChannelApi } from './api/rtp-channel-api.ts';
import { peerCalls, rtpPeerApi } from './api/rtp-peer-api.ts';
import { Channels } from './channels/channels.ts';
import { ipVersions, MediaPorts } from './channels/media-ports.ts';
import type { RtpChannelConfig } from './config.ts';
import { ContainedFolder } from './files/contained-folder.ts';
import { Prompts } from './files/prompts.ts';
import { CHANNEL_COUNTERS } from './media/contract.ts';
import type { ChannelContract } from './media/contract.ts';
import { registerMetrics } from './metrics.ts';

export type RtpChannelRuntime = ServiceRuntime<RtpChannelConfig, Channel, ChannelEvent>;

/** Media threads run from source, also when this file was compiled to dist/. */
const PROGRAM = new URL('../src/media/program.ts', import.meta.url);

/** A running rtp-channel: its media threads, its channels, and the APIs that it answers. */
export class RtpChannel {
  readonly apis: readonly ServedApi[];
  readonly channels: Channels;
  readonly media: MediaThreads<ChannelContract>;
  readonly pool: PortPool;

  private constructor(
    apis: readonly ServedApi[],
    channels: Channels,
    media: MediaThreads<ChannelContract>,
    pool: PortPool,
  ) {
    this.apis = apis;
    this.channels = channels;
    this.media = media;
    this.pool = pool;
  }

  static async start(runtime: RtpChannelRuntime): Promise<RtpChannel> {
    const { config, log, instanceId, bus, directory, events, router } = runtime;
    const isPending = (channelId: string): boolean => bus.state === 'away' && directory.pending(channelId);
    const { net, files } = config;
    const implementation =
      net.implementation === 'auto' ? defaultImplementation({}, process.platform, process.arch) : net.implementation;
    const sockets = createUdpSockets(implementation);
    const interfaces = netInterfaces(net.interfaces);
    await proveInterfaces(interfaces, sockets);
    const pool = new PortPool({
      sockets,
      minPort: net.rtpPortMin,
      maxPort: net.rtpPortMax,
      quietMs: net.quietTimeMs,
      socketOptions: { dscp: net.dscp, receiveBufferBytes: net.receiveBufferBytes },
      random: Math.random,
      nowMs: () => performance.now(),
    });
    const media = await MediaThreads.start<ChannelContract>({
      threads: config.media.threads === 0 ? Math.max(availableParallelism() - 1, 1) : config.media.threads,
      program: PROGRAM,
      programCounters: CHANNEL_COUNTERS,
      implementation,
      batchCalls: net.batchCalls,
      latencyBudgetUs: net.latencyBudgetUs,
      onEvent: (channelId, event) => channels.mediaEvents.onEvent(channelId, event),
      onSessionLost: (channelId, _sockets, cause) => channels.mediaEvents.onSessionLost(channelId, cause),
      onThreadRestarted: (thread, cause) => log.error({ thread, cause }, 'a media thread was replaced'),
    });
    log.info(
      {
        threads: media.threads.length,
        implementation,
        batchedCalls: media.threads.every((thread) => thread.batchesCalls),
        portMin: net.rtpPortMin,
        portMax: net.rtpPortMax,
      },
      'media threads are running',
    );
    const rules = { interfaces: ipVersions(interfaces), idle: config.idle };
    if (!existsSync(files.mediaFolder)) {
      log.warn({ mediaFolder: files.mediaFolder }, 'the media folder does not exist: there is nothing to play');
    }
    const prompts = new Prompts({
      folder: new ContainedFolder(files.mediaFolder),
      cacheBytes: files.promptCacheBytes,
      maxFileBytes: files.maxMediaFileBytes,
    });
    const peerApi = rtpPeerApi(() => channels);
    const channels: Channels = new Channels({
      instanceId,
      newChannelId: () => makeSessionId(CHANNEL_KIND, instanceId),
      media,
      ports: new MediaPorts(pool, sockets, interfaces),
      directory,
      isPending,
      events,
      peers: peerCalls(peerApi, router),
      prompts,
      recordingsFolder: new ContainedFolder(files.recordingsFolder),
      maxReadableRecordings: files.maxReadableRecordings,
      recordingBufferBytes: files.recordingBufferBytes,
      rules,
      log,
      onClosed: (record, reason) => meters.onClosed(record, reason),
    });
    const meters = registerMetrics(runtime.metrics, {
      media,
      pool,
      prompts,
      recordings: channels.recordings,
      channelsOpened: () => channels.opening.openedTotal,
    });
    const api = rtpChannelApi({ channels, rules, directory, isPending, events, router, streams: config.streams });
    return new RtpChannel([api, peerApi], channels, media, pool);
  }

  /** Why the process should be restarted; undefined while it is well. */
  unhealthy(): string | undefined {
    return this.media.unhealthy();
  }

  status(): object {
    return {
      channels: this.channels.count,
      ports: { used: this.pool.used, available: this.pool.available, size: this.pool.size },
      mediaThreads: this.media.status(),
    };
  }

  /** Called by Nest when the app ends; all channels have been closed by then. */
  async onModuleDestroy(): Promise<void> {
    this.channels.stop();
    await this.media.stop();
  }
}
