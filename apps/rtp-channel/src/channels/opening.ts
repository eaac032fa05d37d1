import { ServiceError } from '@mediaplane/control';
import type { PortPair } from '@mediaplane/net';
import type { Channel, ChannelSettings } from '@mediaplane/proto';
import { ChannelState } from '@mediaplane/proto';
import { Role } from '../media/contract.ts';
import type { ChannelInit, ChannelMediaEvent } from '../media/contract.ts';
import { mediaSettings } from '../validation/settings.ts';
import type { ChannelContext } from './channel-context.ts';
import { Deadlines } from './deadlines.ts';
import { channelSnapshot } from './describe.ts';
import { LiveChannel } from './live-channel.ts';
import { randomId, randomUint16, randomUint32 } from './random-id.ts';

export interface OpeningOptions {
  readonly context: ChannelContext;
  newChannelId(): string;
  /** Of a channel that has just been announced: what it did before. */
  onMediaEvent(channel: LiveChannel, event: ChannelMediaEvent): void;
  /** A deadline of the channel has passed. */
  onMaxDuration(channel: LiveChannel): void;
  onLeaseExpired(channel: LiveChannel): void;
}

/** Opens channels. Nobody hears of one before all that were asked for together are there. */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #context: ChannelContext;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Takes back what is being opened now. */
  #refusal = new AbortController();
  /** Since the start. */
  openedTotal = 0;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  /**
   * All of them or none, on one media thread, which is that of `near` if it lives here. `wanted` aborts when nobody waits any
   * more who could learn their ids; then it is none.
   */
  async open(settings: readonly ChannelSettings[], near: string, wanted?: AbortSignal): Promise<Channel[]> {
    const { signal: refused } = this.#refusal;
    const opening = this.#open(settings, near, wanted === undefined ? [refused] : [refused, wanted]);
    this.#underWay.add(opening);
    try {
      return await opening;
    } finally {
      this.#underWay.delete(opening);
    }
  }

  /** The instance closes all it has: what is being opened is taken back. Resolves when it is. */
  async refuseUnderWay(): Promise<void> {
    this.#refusal.abort(ServiceError.unavailable('DRAINING', 'this instance closes its channels'));
    this.#refusal = new AbortController();
    await Promise.allSettled(this.#underWay);
  }

  async #open(settings: readonly ChannelSettings[], near: string, signals: readonly AbortSignal[]): Promise<Channel[]> {
    const opened: LiveChannel[] = [];
    try {
      for (const each of settings) opened.push(await this.#prepare(each, opened[0]?.id ?? near));
      for (const signal of signals) signal.throwIfAborted();
      for (const channel of opened) this.#recordNew(channel);
    } catch (error) {
      await Promise.all(opened.map((channel) => this.#withdraw(channel)));
      throw error;
    }
    for (const channel of opened) this.#announce(channel);
    this.openedTotal += opened.length;
    return opened.map((channel) => channelSnapshot(this.#context, channel));
  }

  /** The two timers that settings may ask for, for a channel whose settings are new. */
  setDeadlines(channel: LiveChannel, settings: ChannelSettings): void {
    if (channel.deadlines === undefined && !Deadlines.needed(settings)) return;
    channel.deadlines ??= new Deadlines(
      channel.openedMs,
      () => this.#options.onMaxDuration(channel),
      () => this.#options.onLeaseExpired(channel),
    );
    channel.deadlines.set(settings);
  }

  async #prepare(settings: ChannelSettings, near: string): Promise<LiveChannel> {
    const { ports, media, table } = this.#context;
    const sockets = await ports.openChannel(settings.interface);
    const channelId = this.#options.newChannelId();
    const init: ChannelInit = {
      settings: mediaSettings(settings),
      ssrc: randomUint32(),
      firstSequence: randomUint16(),
      firstTimestamp: randomUint32(),
      seed: randomUint32(),
      // RFC 7022 4.2: 96 bits or more for a short-term persistent CNAME; base32 is within its alphabet.
      cname: randomId('') + randomId(''),
    };
    const channel = new LiveChannel(sockets, this.#record(channelId, settings, sockets, init), performance.now());
    // Before the media thread knows it, whose events and whose loss may come at once.
    table.add(channel);
    try {
      await media.open(
        channelId,
        [
          { role: Role.rtp, handle: sockets.rtp },
          { role: Role.rtcp, handle: sockets.rtcp },
        ],
        init,
        near === '' ? undefined : near,
      );
    } catch (error) {
      table.delete(channel);
      ports.release(sockets);
      throw error;
    }
    return channel;
  }

  #record(channelId: string, settings: ChannelSettings, sockets: PortPair, init: ChannelInit): Channel {
    const addresses = this.#context.ports.addresses(settings.interface);
    return {
      channelId,
      instanceId: this.#context.instanceId,
      state: ChannelState.OPEN,
      settings,
      local: {
        address: addresses.advertised,
        rtpPort: sockets.rtp.port,
        rtcpPort: sockets.rtcp.port,
        ssrc: init.ssrc,
        cname: init.cname,
        privateAddress: addresses.private,
        interface: settings.interface,
      },
      latch: undefined,
      peerChannelId: '',
      playbacks: NONE,
      recordings: NONE,
      createTime: new Date(),
      leaseExpireTime: undefined,
      directoryPending: false,
      statistics: undefined,
    };
  }

  /** @throws ServiceError when the directory takes no new channels, or the media thread has died meanwhile */
  #recordNew(channel: LiveChannel): void {
    if (channel.lostCause !== undefined) throw ServiceError.unavailable('MEDIA_THREAD_LOST', channel.lostCause);
    const { settings } = channel.record;
    if (settings !== undefined) this.setDeadlines(channel, settings);
    channel.record.leaseExpireTime = channel.deadlines?.leaseExpireTime();
    this.#context.directory.put(channel.id, channel.record);
  }

  #announce(channel: LiveChannel): void {
    this.#context.events.publish(channel, { $case: 'opened', value: { channel: { ...channel.record } } });
    const { early } = channel;
    channel.early = undefined;
    for (const event of early ?? []) this.#options.onMediaEvent(channel, event);
  }

  /** Takes back a channel that nobody has heard of. */
  async #withdraw(channel: LiveChannel): Promise<void> {
    const { table, media, ports, directory } = this.#context;
    channel.muted = true;
    channel.deadlines?.stop();
    table.delete(channel);
    if (channel.lostCause === undefined) await media.close(channel.id, null).catch(() => undefined);
    ports.release(channel.ports);
    directory.remove(channel.id);
  }
}

/** Shared by all channels that play and record nothing. */
const NONE: never[] = [];
