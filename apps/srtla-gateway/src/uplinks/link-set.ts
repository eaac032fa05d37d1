import { ServiceError } from '@mediaplane/control';
import { MAX_LINKS } from '../domain/sender/link-settings.ts';
import { linkNotFound } from './errors.ts';
import type { LinkOf } from './events.ts';
import { linkKey, linkName } from './settings.ts';
import type { LinkSettings } from './settings.ts';
import { UplinkLink } from './uplink-link.ts';
import type { LinkParts } from './uplink-link.ts';

/** Of so many removed links it is known what they had carried. */
const REMEMBERED = 256;

/** The links of an uplink, by number, and what those that were removed had carried. */
export class LinkSet implements Iterable<UplinkLink> {
  readonly #parts: LinkParts;
  readonly #links = new Map<number, UplinkLink>();
  /** By key: so that a link that is removed and added again has not got its data cap anew. */
  readonly #used: Map<string, number>;

  /** `used`: by key, what links had carried before this uplink was opened. */
  constructor(parts: LinkParts, used: ReadonlyMap<string, number>) {
    this.#parts = parts;
    this.#used = new Map(used);
  }

  [Symbol.iterator](): Iterator<UplinkLink> {
    return this.#links.values();
  }

  get size(): number {
    return this.#links.size;
  }

  get isAnyLive(): boolean {
    return [...this].some((link) => link.isLive);
  }

  /** @throws ServiceError ALREADY_EXISTS, RESOURCE_EXHAUSTED */
  add(settings: LinkSettings): UplinkLink {
    const key = linkKey(settings);
    if ([...this].some((link) => linkKey(link.settings) === key)) throw alreadyThere(key);
    this.requireFreeName(settings, undefined);
    const number = Array.from({ length: MAX_LINKS }, (_, i) => i).find((i) => !this.#links.has(i));
    if (number === undefined) {
      throw new ServiceError('RESOURCE_EXHAUSTED', 'LINK_LIMIT', `an uplink has at most ${MAX_LINKS} links`);
    }
    const link = new UplinkLink(this.#parts, number, settings, this.#used.get(key) ?? 0);
    this.#links.set(number, link);
    return link;
  }

  delete(link: UplinkLink): void {
    this.#links.delete(link.number);
    const key = linkKey(link.settings);
    this.#used.delete(key);
    this.#used.set(key, link.usedBytes);
    const [oldest] = this.#used.keys();
    if (this.#used.size > REMEMBERED) this.#used.delete(oldest);
  }

  /** @throws ServiceError ALREADY_EXISTS when another link than `own` has the name */
  requireFreeName(settings: LinkSettings, own: UplinkLink | undefined): void {
    const name = linkName(settings);
    if ([...this].some((link) => link !== own && link.name === name)) throw alreadyThere(name);
  }

  /** @throws ServiceError NOT_FOUND */
  find(name: string): UplinkLink {
    const found = [...this].find((link) => link.name === name);
    if (found === undefined) throw linkNotFound(this.#parts.uplinkId, name);
    return found;
  }

  /** For events: one that was removed meanwhile has its number for a name. */
  linkOf(number: number): LinkOf {
    return { link: { number, name: this.#links.get(number)?.name ?? String(number) } };
  }
}

function alreadyThere(name: string): ServiceError {
  return new ServiceError('ALREADY_EXISTS', 'LINK_EXISTS', `link ${name} is there already`);
}
