import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { endpointText } from '../listeners/endpoint.ts';
import type { LiveListener } from '../listeners/live-listener.ts';
import type { ListenerMedia } from '../listeners/upstreams.ts';
import { SOCKET_ROLE } from '../media/contract.ts';
import { socketAddress } from './relay-network.ts';
import type { RelayNetwork } from './relay-network.ts';

/** A link of a group that another instance has. */
export interface ForeignLink {
  readonly listener: LiveListener;
  /** null: it has not asked, the instance that has it was found. */
  readonly groupId: string | null;
  /** The instance that began the group, or was found. */
  readonly issuer: string;
  readonly address: AddressWords;
  /** Another instance hands it on. */
  readonly isRelayed: boolean;
}

/** A link that is handed on. */
export interface LiveRelay {
  readonly link: ForeignLink;
  readonly owner: string;
  readonly ownerAddress: AddressWords;
  readonly sessionId: string;
  readonly socket: UdpSocketHandle;
}

export interface RelaysOptions {
  readonly media: ListenerMedia;
  readonly network: RelayNetwork;
  readonly instanceId: string;
  readonly maxLinks: number;
}

/** Links of this instance's listeners that are handed on to others, each with a socket and a media session of its own. */
export class Relays {
  /** Since the start. */
  opened = 0;
  /** Turned away, for there were as many as may be. */
  refused = 0;
  readonly #options: RelaysOptions;
  readonly #byLink = new Map<string, LiveRelay>();
  readonly #bySession = new Map<string, LiveRelay>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byLink.size;
  }

  values(): Iterable<LiveRelay> {
    return this.#byLink.values();
  }

  get({ listener, address }: ForeignLink): LiveRelay | undefined {
    return this.#byLink.get(keyOf(listener, address));
  }

  ofSession(sessionId: string): LiveRelay | undefined {
    return this.#bySession.get(sessionId);
  }

  /** Returns whether it is open. Rejects with NetError or MediaError. */
  async open(link: ForeignLink, owner: string, ownerAddress: AddressWords): Promise<boolean> {
    const { media, network, instanceId, maxLinks } = this.#options;
    if (this.size >= maxLinks) {
      this.refused += 1;
      return false;
    }
    const { listener, groupId, address } = link;
    const socket = await network.openLinkSocket(listener.settings.interface, ownerAddress);
    this.opened += 1;
    const sessionId = `${listener.mediaId}.relay.${this.opened}`;
    const relay: LiveRelay = { link, owner, ownerAddress, sessionId, socket };
    // Before it is open: its loss may be told at once.
    this.#byLink.set(keyOf(listener, address), relay);
    this.#bySession.set(sessionId, relay);
    const init = {
      kind: 'relay',
      listenerId: listener.mediaId,
      origin: address,
      groupId,
      path: { from: socketAddress(socket), to: ownerAddress },
      keys: network.keys,
      instanceId,
      linkTimeoutUs: (listener.settings.limits?.linkTimeoutMs ?? 0) * 1000,
    } as const;
    try {
      await media.open(sessionId, [{ role: SOCKET_ROLE, handle: socket }], init, listener.mediaId);
      return true;
    } catch (error) {
      this.forget(sessionId);
      throw error;
    }
  }

  async close(relay: LiveRelay): Promise<void> {
    if (this.#bySession.get(relay.sessionId) !== relay) return;
    // It may have ended with its thread.
    await this.#options.media.close(relay.sessionId, null).catch(() => undefined);
    this.forget(relay.sessionId);
  }

  /** Its media session is gone. Returns false when there was none of that name. */
  forget(sessionId: string): boolean {
    const relay = this.#bySession.get(sessionId);
    if (relay === undefined) return false;
    const { listener, address } = relay.link;
    this.#bySession.delete(sessionId);
    this.#byLink.delete(keyOf(listener, address));
    this.#options.network.close(relay.socket);
    return true;
  }
}

export function keyOf({ mediaId }: LiveListener, address: AddressWords): string {
  return `${mediaId} ${endpointText(address)}`;
}
