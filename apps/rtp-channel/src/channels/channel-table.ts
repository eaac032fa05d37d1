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
    this.require(channelId).deadlines?.renewLease();
    return this.inTurn(channelId, work);
  }

  /** The same for what no call has asked for. */
  inTurn<T>(channelId: string, work: (channel: LiveChannel) => Promise<T>): Promise<T> {
    const channel = this.require(channelId);
    return channel.turns.run(async () => {
      if (this.#channels.get(channelId) !== channel) throw channelNotFound(channelId);
      return work(channel);
    });
  }

  /** As `change`, for two channels. */
  changeBoth<T>(
    firstId: string,
    secondId: string,
    work: (first: LiveChannel, second: LiveChannel) => Promise<T>,
  ): Promise<T> {
    for (const channelId of [firstId, secondId]) this.require(channelId).deadlines?.renewLease();
    return this.inBothTurns(firstId, secondId, work);
  }

  /** As `inTurn`. They are taken in the order of their ids, so that two such pieces of work never wait for each other. */
  inBothTurns<T>(
    firstId: string,
    secondId: string,
    work: (first: LiveChannel, second: LiveChannel) => Promise<T>,
  ): Promise<T> {
    if (firstId < secondId) return this.inTurn(firstId, (a) => this.inTurn(secondId, (b) => work(a, b)));
    return this.inTurn(secondId, (b) => this.inTurn(firstId, (a) => work(a, b)));
  }
}
