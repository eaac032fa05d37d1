import type { Channel, ChannelEvent, WatchChannelsResponse } from '@mediaplane/proto';

export type Watched = { event: ChannelEvent; atMs: number };

/** Follows WatchChannels in the background. */
export class Follower {
  readonly snapshot: Channel[] = [];
  readonly events: Watched[] = [];
  readonly #abort = new AbortController();
  #wake: (() => void)[] = [];
  #ended: unknown;

  constructor(stream: (signal: AbortSignal) => AsyncIterable<WatchChannelsResponse>) {
    void this.#run(stream(this.#abort.signal));
  }

  /** The first event that fits, received already or to come. */
  async until(predicate: (event: ChannelEvent) => boolean): Promise<Watched> {
    for (;;) {
      const found = this.events.find(({ event }) => predicate(event));
      if (found) return found;
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #run(stream: AsyncIterable<WatchChannelsResponse>): Promise<void> {
    try {
      for await (const { item } of stream) {
        if (item?.$case === 'channel') this.snapshot.push(item.value);
        if (item?.$case === 'event') this.events.push({ event: item.value, atMs: performance.now() });
        this.#notify();
      }
    } catch (error) {
      this.#ended = error;
      this.#notify();
    }
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
