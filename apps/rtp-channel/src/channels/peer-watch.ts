import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '@mediaplane/control';
import type { Events, Logger } from '@mediaplane/control';
import type { Channel, ChannelEvent } from '@mediaplane/proto';

const RETRY_MS = 1000;

export interface PeerWatchOptions {
  readonly events: Events<Channel, ChannelEvent>;
  readonly log: Logger;
  /** The channel of another instance that ours is bridged with has ended, or its instance was lost. */
  onPeerEnded(channelId: string, peerChannelId: string): void;
}

/**
 * Follows the last events of channels on other instances that ours are bridged with. Their owners take bridges down themselves;
 * this is for the owner that cannot, because it is gone. One watch for all of them, and none while there are none.
 */
export class PeerWatch {
  readonly #options: PeerWatchOptions;
  /** Our channel by the other one. */
  readonly #bridged = new Map<string, string>();
  #watching: AbortController | undefined;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
  }

  add(channelId: string, peerChannelId: string): void {
    this.#bridged.set(peerChannelId, channelId);
    if (this.#watching !== undefined) return;
    this.#watching = new AbortController();
    void this.#watch(this.#watching.signal);
  }

  remove(peerChannelId: string): void {
    this.#bridged.delete(peerChannelId);
    if (this.#bridged.size === 0) this.stop();
  }

  stop(): void {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let resumeToken: string | undefined;
    while (!signal.aborted) {
      try {
        const items = this.#options.events.watch({
          resumeToken,
          filter: (item) => item.kind === 'event' && item.final && this.#bridged.has(item.sessionId),
          signal,
        });
        for await (const item of items) {
          if (item.kind === 'session') continue;
          resumeToken = item.resumeToken;
          if (item.kind === 'event') this.#onEnded(item.sessionId);
        }
      } catch (error) {
        if (hasCode(error, 'OUT_OF_RANGE')) resumeToken = undefined;
        if (!signal.aborted) this.#options.log.warn({ error }, 'cannot watch bridged channels of other instances');
      }
      await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #onEnded(peerChannelId: string): void {
    const channelId = this.#bridged.get(peerChannelId);
    if (channelId !== undefined) this.#options.onPeerEnded(channelId, peerChannelId);
  }
}
