import type { Bus, Subscription } from '@mediaplane/control';
import type { AddressWords } from '@mediaplane/net';
import { endpointText } from '../listeners/endpoint.ts';
import type { LiveListener } from '../listeners/live-listener.ts';

const SOUGHT = 'mp.v1.srtla-gateway.link.sought';
const FOUND = 'mp.v1.srtla-gateway.link.found';
/** Questions that an answer is still good for: the latest. */
const MOST_OPEN = 512;

export interface StrayLink {
  readonly listener: LiveListener;
  readonly address: AddressWords;
}

export interface LinkFinderParts {
  readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly instanceId: string;
  /** Whether a group of ours, of a listener of that name, has a link whose sender sends from there: `203.0.113.7:5000`. */
  has(listenerName: string, address: string): boolean;
  /** The instance says that it has the link. */
  onFound(link: StrayLink, instanceId: string): void;
}

/**
 * Finds who has links that come to this instance without a word of whose they are, as when a balancer has moved them here: all instances
 * are asked, and who has it answers. At most once and without a sign of failure: a sender that hears nothing registers again.
 */
export class LinkFinder implements Disposable {
  readonly #parts: LinkFinderParts;
  readonly #subscriptions: readonly Subscription[];
  /** By what was asked, the oldest first. */
  readonly #open = new Map<string, StrayLink>();

  constructor(parts: LinkFinderParts) {
    const { bus, instanceId } = parts;
    this.#parts = parts;
    this.#subscriptions = [
      bus.subscribe(SOUGHT, ({ payload }) => this.#onSought(payload)),
      bus.subscribe(`${FOUND}.${instanceId}`, ({ payload }) => this.#onFound(payload)),
    ];
  }

  seek(link: StrayLink): void {
    const question = `${link.listener.name} ${endpointText(link.address)}`;
    this.#open.delete(question);
    this.#open.set(question, link);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN) break;
      this.#open.delete(oldest);
    }
    this.#say(SOUGHT, question);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #onSought(payload: Uint8Array): void {
    const { instanceId, has } = this.#parts;
    const [seeker, listenerName, address] = words(payload);
    if (address === undefined || seeker === instanceId || !has(listenerName, address)) return;
    this.#say(`${FOUND}.${seeker}`, `${listenerName} ${address}`);
  }

  #onFound(payload: Uint8Array): void {
    const [instanceId, listenerName, address] = words(payload);
    const question = `${listenerName} ${address}`;
    const link = this.#open.get(question);
    if (link === undefined) return;
    this.#open.delete(question);
    this.#parts.onFound(link, instanceId);
  }

  #say(subject: string, text: string): void {
    this.#parts.bus.publish(subject, Buffer.from(`${this.#parts.instanceId} ${text}`));
  }
}

/** Who speaks, the listener's name and the address; the latter two undefined in what is none of ours. */
function words(payload: Uint8Array): [string, string, string | undefined] {
  const [instanceId = '', listenerName = '', address, more] = Buffer.from(payload).toString().split(' ');
  return [instanceId, listenerName, more === undefined && /^[A-Za-z0-9-]+$/.test(instanceId) ? address : undefined];
}
