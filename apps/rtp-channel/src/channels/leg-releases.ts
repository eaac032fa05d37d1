import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, hasReason } from '@mediaplane/control';
import type { DetachPeerLegRequest } from '@mediaplane/proto';
import type { OpenLeg } from './live-channel.ts';
import type { MediaPorts } from './media-ports.ts';

export interface LegReleasesOptions {
  readonly ports: Pick<MediaPorts, 'release'>;
  detach(request: DetachPeerLegRequest): Promise<unknown>;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  /** How long a port waits for an answer before another call may have it. */
  readonly quarantineMs?: number;
}

type Answer = 'released' | 'gone' | 'none';

/**
 * Takes private legs back. Until the other instance has released its end it sends to our port, so the port is given to no other
 * call before, or for a generous time. The other instance is asked for as long as this one lives and that one may.
 */
export class LegReleases {
  readonly #options: LegReleasesOptions;
  readonly #stopped = new AbortController();

  constructor(options: LegReleasesOptions) {
    this.#options = options;
  }

  /** Resolves when the other instance has answered or cannot be asked now; then it is asked again later. */
  async release(peerChannelId: string, leg: OpenLeg): Promise<void> {
    const answer = await this.#ask(peerChannelId, leg.legId);
    if (answer === 'released') this.#options.ports.release(leg.ports);
    else void this.#releaseLater(peerChannelId, leg, answer);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #releaseLater(peerChannelId: string, { legId, ports }: OpenLeg, first: Answer): Promise<void> {
    const { firstDelayMs = 250, maxDelayMs = 5000, quarantineMs = 60_000 } = this.#options;
    const { signal } = this.#stopped;
    const quarantine = setTimeout(() => this.#options.ports.release(ports), quarantineMs);
    quarantine.unref();
    let answer = first;
    for (let delayMs = firstDelayMs; answer === 'none'; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      await delay(delayMs, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return;
      answer = await this.#ask(peerChannelId, legId);
    }
    // An instance that was lost may be cut off only, and send until it learns that its sessions are over.
    if (answer === 'gone') return;
    clearTimeout(quarantine);
    this.#options.ports.release(ports);
  }

  async #ask(peerChannelId: string, legId: string): Promise<Answer> {
    try {
      await this.#options.detach({ channelId: peerChannelId, legId });
      return 'released';
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return 'released';
      return hasReason(error, 'INSTANCE_LOST') ? 'gone' : 'none';
    }
  }
}
