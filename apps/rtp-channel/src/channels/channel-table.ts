import { channelNotFound } from './errors.ts';
import type { LiveChannel } from './live-channel.ts';

/** The channels of this instance, and the one way to work on them. */
export class ChannelTable {
  readonly #channels = new Map<string, LiveChannel>();

  get size(): number {
    return this.#channels.size;
  }

  add(channel: LiveChannel): void {
    this.#channels.set(channel.id, channel);
  }

  delete(channel: LiveChannel): void {
    this.#channels.delete(channel.id);
  }

  get(channelId: string): LiveChannel | undefined {
    return this.#channels.get(channelId);
  }

  values(): Iterable<LiveChannel> {
    return this.#channels.values();
  }

  /** @throws ServiceError NOT_FOUND */
  require(channelId: string): LiveChannel {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) throw channelNotFound(channelId);
    return channel;
  }

  /** Runs `work` while nothing else changes the channel. A call that names a channel renews its controller's lease. */
  change<T>(channelId: string, work: (channel: LiveChannel) => Promise<T>): Promise<T> {
    const channel = this.require(channelId);
    channel.deadlines?.renewLease();
    return channel.turns.run(async () => {
      if (this.#channels.get(channelId) !== channel) throw channelNotFound(channelId);
      return work(channel);
    });
  }

  /** The same for two channels. They are taken in the order of their ids, so that two such calls never wait for each other. */
  changeBoth<T>(
    firstId: string,
    secondId: string,
    work: (first: LiveChannel, second: LiveChannel) => Promise<T>,
  ): Promise<T> {
    this.require(firstId);
    this.require(secondId);
    if (firstId < secondId) return this.change(firstId, (a) => this.change(secondId, (b) => work(a, b)));
    return this.change(secondId, (b) => this.change(firstId, (a) => work(a, b)));
  }
}
