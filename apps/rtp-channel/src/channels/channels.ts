import type { Directory, Events, Logger } from '@mediaplane/control';
import type { MediaThreads } from '@mediaplane/media';
import { CloseReason } from '@mediaplane/proto';
import type { CallRecord, Channel, ChannelEvent } from '@mediaplane/proto';
import type { ContainedFolder } from '../files/contained-folder.ts';
import type { Prompts } from '../files/prompts.ts';
import type { ChannelContract } from '../media/contract.ts';
import type { SettingsRules } from '../validation/settings.ts';
import { Bridges } from './bridges.ts';
import type { ChannelContext } from './channel-context.ts';
import { ChannelEvents } from './channel-events.ts';
import { ChannelTable } from './channel-table.ts';
import { Closing } from './closing.ts';
import { describeChannel } from './describe.ts';
import { Dtmf } from './dtmf.ts';
import { channelNotFound } from './errors.ts';
import { LegReleases } from './leg-releases.ts';
import type { LiveChannel } from './live-channel.ts';
import { MediaEvents } from './media-events.ts';
import type { MediaPorts } from './media-ports.ts';
import { Opening } from './opening.ts';
import { PeerWatch } from './peer-watch.ts';
import { Playbacks } from './playbacks.ts';
import { RecentlyClosed } from './recently-closed.ts';
import { RecordingArchive } from './recording-archive.ts';
import { Recordings } from './recordings.ts';
import type { PeerCalls } from './remote-bridges.ts';
import { RemoteBridges } from './remote-bridges.ts';
import { Updates } from './updates.ts';

export interface ChannelsOptions {
  readonly instanceId: string;
  newChannelId(): string;
  readonly media: MediaThreads<ChannelContract>;
  readonly ports: MediaPorts;
  readonly directory: Directory<Channel>;
  /** The bus is away, and the channel's record is not stored yet. */
  isPending(channelId: string): boolean;
  readonly events: Events<Channel, ChannelEvent>;
  readonly peers: PeerCalls;
  readonly prompts: Prompts;
  readonly recordingsFolder: ContainedFolder;
  readonly maxReadableRecordings: number;
  readonly recordingBufferBytes: number;
  readonly rules: SettingsRules;
  readonly log: Logger;
  /** Once for each channel that ends; `reason` as logs and metrics write it. */
  onClosed(record: CallRecord, reason: string): void;
}

/** All channels of this instance: what can be done with them, put together from the parts that do it. */
export class Channels {
  readonly table = new ChannelTable();
  readonly opening: Opening;
  readonly updates: Updates;
  readonly bridges: Bridges;
  readonly remoteBridges: RemoteBridges;
  readonly playbacks: Playbacks;
  readonly recordings: Recordings;
  readonly archive: RecordingArchive;
  readonly dtmf: Dtmf;
  readonly mediaEvents: MediaEvents;
  readonly #context: ChannelContext;
  readonly #closing: Closing;
  readonly #recentlyClosed = new RecentlyClosed();
  readonly #peerWatch: PeerWatch;
  readonly #legReleases: LegReleases;

  constructor(options: ChannelsOptions) {
    const { instanceId, media, ports, directory, rules, log, recordingsFolder: folder } = options;
    const events = new ChannelEvents(instanceId, options.events);
    const isPending = (channelId: string): boolean => options.isPending(channelId);
    const context: ChannelContext = {
      instanceId,
      table: this.table,
      media,
      ports,
      directory,
      isPending,
      events,
      rules,
      log,
    };
    this.#context = context;
    this.#peerWatch = new PeerWatch({
      events: options.events,
      log,
      directory,
      onPeerEnded: (channelId, peerChannelId) => void this.remoteBridges.onPeerEnded(channelId, peerChannelId),
      onPeerCodecs: (channelId, peerChannelId, codecs) =>
        void this.remoteBridges.renew(channelId, peerChannelId, codecs),
    });
    const { peers } = options;
    const legReleases = new LegReleases({ ports, detach: (request) => peers.detach(request) });
    this.#legReleases = legReleases;
    this.bridges = new Bridges(context, (channelId, peerChannelId, leg) => {
      this.#peerWatch.remove(channelId, peerChannelId);
      return legReleases.release(peerChannelId, leg);
    });
    this.remoteBridges = new RemoteBridges(context, this.bridges, peers, legReleases, this.#peerWatch);
    this.playbacks = new Playbacks(context, options.prompts);
    this.archive = new RecordingArchive({ folder, table: this.table, maxRecordings: options.maxReadableRecordings });
    this.recordings = new Recordings({
      context,
      folder,
      archive: this.archive,
      maxWaitingBytes: options.recordingBufferBytes,
    });
    this.dtmf = new Dtmf(context);
    this.#closing = new Closing({
      context,
      bridges: this.bridges,
      playbacks: this.playbacks,
      recordings: this.recordings,
      dtmf: this.dtmf,
      recentlyClosed: this.#recentlyClosed,
      onClosed: (record, reason) => options.onClosed(record, reason),
    });
    this.opening = new Opening({
      context,
      newChannelId: () => options.newChannelId(),
      onMediaEvent: (channel, event) => this.mediaEvents.handle(channel, event),
      onMaxDuration: (channel) => this.#closing.closeUnasked(channel, CloseReason.MAX_DURATION),
      onLeaseExpired: (channel) => this.#closing.closeUnasked(channel, CloseReason.CONTROLLER_LEASE_EXPIRED),
    });
    this.updates = new Updates(context, this.opening, this.bridges, this.remoteBridges);
    this.mediaEvents = new MediaEvents({
      context,
      playbacks: this.playbacks,
      recordings: this.recordings,
      dtmf: this.dtmf,
      closing: this.#closing,
    });
  }

  /** Channels that are open or being opened. */
  get count(): number {
    return this.table.size;
  }

  /** @throws ServiceError NOT_FOUND */
  describe(channelId: string, withStatistics = false): Promise<Channel> {
    return describeChannel(this.#context, this.table.require(channelId), withStatistics);
  }

  /** Returns the other channel if that is known: an instance that was asked for a leg has told. */
  async bridge(channelId: string, peerChannelId: string): Promise<Channel | undefined> {
    this.table.require(channelId);
    if (this.remoteBridges.isRemote(peerChannelId)) return this.remoteBridges.bridge(channelId, peerChannelId);
    await this.bridges.bridgeLocal(channelId, peerChannelId);
    return this.describe(peerChannelId);
  }

  /** Ends the bridge of a channel, if it has one. */
  async unbridge(channelId: string): Promise<void> {
    await this.table.change(channelId, (channel) => this.bridges.leave(channel));
    await this.table.get(channelId)?.legRelease;
  }

  /** The record of a channel that was closed within the last minute is returned again. @throws ServiceError NOT_FOUND */
  async close(channelId: string, text: string): Promise<CallRecord> {
    const channel = this.table.get(channelId);
    if (channel !== undefined) {
      const closed = await this.#closing.close(channel, CloseReason.REQUESTED, text);
      await channel.legRelease;
      return closed;
    }
    const record = this.#recentlyClosed.get(channelId);
    if (record === undefined) throw channelNotFound(channelId);
    return record;
  }

  /** The grace period is over. Resolves when all channels are closed and their recordings complete. */
  async closeAll(): Promise<void> {
    const announced = [...this.table.values()].filter((channel) => channel.announced);
    await Promise.all([
      this.opening.refuseUnderWay(),
      ...announced.map((channel) => this.#closing.close(channel, CloseReason.SHUTDOWN)),
    ]);
  }

  /** A survivor has told the fleet that these are over: end their media, and say nothing. */
  async closeOrphans(channelIds: readonly string[]): Promise<void> {
    const channels = channelIds.map((id) => this.table.get(id)).filter((channel) => channel !== undefined);
    await Promise.all(
      channels.map((channel: LiveChannel) => {
        channel.muted = true;
        return this.#closing.close(channel, CloseReason.INSTANCE_LOST);
      }),
    );
  }

  stop(): void {
    this.#peerWatch.stop();
    this.#legReleases.stop();
    this.#recentlyClosed.stop();
  }
}
