import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '@mediaplane/control';
import type { Directory, EventItem, Events, Logger, SnapshotItem } from '@mediaplane/control';
import type { Channel, ChannelEvent, Codecs } from '@mediaplane/proto';

const RETRY_MS = 1000;
/** A channel that is in no list now may be on its way there: the bus had lost it, and its owner writes it again. */
const ABSENCE_MS = 10_000;

export interface PeerWatchOptions {
  readonly events: Pick<Events<Channel, ChannelEvent>, 'watch'>;
  readonly directory: Pick<Directory<Channel>, 'list'>;
  readonly log: Logger;
  readonly retryMs?: number;
  readonly absenceMs?: number;
  /** The channel of another instance that ours is bridged with has ended, or its instance was lost. */
  onPeerEnded(channelId: string, peerChannelId: string): void;
  /** What the other channel speaks since a moment ago, or since events were missed. */
  onPeerCodecs(channelId: string, peerChannelId: string, codecs: Codecs): void;
}

/**
 * Follows the channels on other instances that ours are bridged with: what they speak, and their last events. Their owners take
 * bridges down themselves; this is for the owner that cannot, because it is gone. One watch for all, and none while there are
 * none.
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

  /** The other channel may be bridged with another of ours by now, which is left alone. */
  remove(channelId: string, peerChannelId: string): void {
    if (this.#bridged.get(peerChannelId) !== channelId) return;
    this.#bridged.delete(peerChannelId);
    if (this.#bridged.size === 0) this.stop();
  }

  stop(): void {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let resumeToken: string | undefined;
    /** Bridges whose peers may have changed or ended unheard, because events were missed: our channel by the other one. */
    let unsure = new Map<string, string>();
    while (!signal.aborted) {
      try {
        const items = this.#options.events.watch({ resumeToken, filter: (item) => this.#isWanted(item), signal });
        for await (const item of items) {
          if (item.kind === 'session') {
            // Of all others more is known than their records tell, which are written a while after the events.
            if (unsure.delete(item.sessionId)) this.#onCodecs(item.sessionId, item.record.settings?.codecs);
            continue;
          }
          resumeToken = item.resumeToken;
          if (item.kind === 'snapshot-end' && unsure.size > 0) {
            void this.#endAbsent(unsure, signal);
            unsure = new Map();
          }
          if (item.kind !== 'event') continue;
          if (item.final) this.#onEnded(item.sessionId);
          else this.#onCodecs(item.sessionId, newCodecs(item.event));
        }
      } catch (error) {
        if (hasCode(error, 'OUT_OF_RANGE')) {
          resumeToken = undefined;
          unsure = new Map(this.#bridged);
        }
        if (!signal.aborted) this.#options.log.warn({ error }, 'cannot watch bridged channels of other instances');
      }
      await delay(this.#options.retryMs ?? RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #isWanted(item: SnapshotItem<Channel> | EventItem<ChannelEvent>): boolean {
    if (!this.#bridged.has(item.sessionId)) return false;
    return item.kind === 'session' || item.final || newCodecs(item.event) !== undefined;
  }

  /** Ends the bridges of these peers that are in no list, now and a while later. */
  async #endAbsent(unsure: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const { directory, absenceMs = ABSENCE_MS, log } = this.#options;
    for (;;) {
      await delay(absenceMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const present = new Set((await directory.list()).map(({ sessionId }) => sessionId));
        for (const [peerChannelId, channelId] of unsure) {
          if (!present.has(peerChannelId) && this.#bridged.get(peerChannelId) === channelId) {
            this.#onEnded(peerChannelId);
          }
        }
        return;
      } catch (error) {
        log.warn({ error }, 'cannot tell whether bridged channels of other instances are there');
      }
    }
  }

  #onEnded(peerChannelId: string): void {
    const channelId = this.#bridged.get(peerChannelId);
    if (channelId !== undefined) this.#options.onPeerEnded(channelId, peerChannelId);
  }

  #onCodecs(peerChannelId: string, codecs: Codecs | undefined): void {
    const channelId = this.#bridged.get(peerChannelId);
    if (channelId !== undefined && codecs !== undefined) this.#options.onPeerCodecs(channelId, peerChannelId, codecs);
  }
}

/** Undefined unless the event tells that they have changed. */
function newCodecs({ detail }: ChannelEvent): Codecs | undefined {
  if (detail?.$case !== 'updated' || !detail.value.updatedPaths.includes('codecs')) return undefined;
  return detail.value.channel?.settings?.codecs;
}
