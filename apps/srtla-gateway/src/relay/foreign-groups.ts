import { Turns } from '@mediaplane/control';
import type { Logger } from '@mediaplane/control';
import type { LiveGroup } from '../listeners/live-group.ts';
import type { LiveListener } from '../listeners/live-listener.ts';
import type { Opening } from '../listeners/opening.ts';
import type { ListenerMedia } from '../listeners/upstreams.ts';
import type { ForeignGroupEvent, StrangerEvent } from '../media/listener-contract.ts';
import type { RelayEvent } from '../media/relay-contract.ts';
import { addressWords, endpoint, endpointText, sameEndpoint } from '../listeners/endpoint.ts';
import { LinkFinder } from './link-finder.ts';
import type { LinkFinderParts } from './link-finder.ts';
import { claimKey } from './owner-claims.ts';
import type { Claim, OwnerClaims } from './owner-claims.ts';
import type { Owners, Ownership } from './owners.ts';
import { parseSocketText } from './relay-network.ts';
import { keyOf } from './relays.ts';
import type { ForeignLink, LiveRelay, Relays } from './relays.ts';

/** A listener whose media thread died is open again by then; if not, its senders ask again. */
const AGAIN_MS = 1000;

/** One that has said which group it wants into. */
type AskingLink = ForeignLink & { readonly groupId: string };

export interface ForeignGroupsParts {
  readonly instanceId: string;
  readonly owners: Pick<Owners, 'find' | 'reach'>;
  readonly claims: Pick<OwnerClaims, 'onClaim' | 'insist' | 'yield' | 'release'>;
  /** Undefined: links are not handed on. */
  readonly relays: Pick<Relays, 'values' | 'get' | 'ofSession' | 'open' | 'close' | 'forget'> | undefined;
  readonly opening: Pick<Opening, 'takeOverForeign' | 'giveUp'>;
  readonly media: Pick<ListenerMedia, 'command'>;
  readonly bus: LinkFinderParts['bus'];
  listeners(): Iterable<LiveListener>;
  groups(): Iterable<LiveGroup>;
  isDraining(): boolean;
  readonly log: Logger;
}

/**
 * What becomes of links whose group another instance began: they are handed on to it while it lives, wherever it lives by now; when it is
 * gone, one instance adopts the group, and the others hand on to that.
 */
export class ForeignGroups {
  /** Groups whose owner was gone, since the start. */
  adopted = 0;
  /** Links that were told to begin anew, because the owner of their group cannot be reached. */
  refused = 0;
  readonly #parts: ForeignGroupsParts;
  /** Links that are being settled. */
  readonly #settling = new Set<string>();
  /** One adoption after the other: the links of a group come at once. */
  readonly #adoptions = new Turns();
  /** Undefined where links are not handed on. */
  readonly #finder: LinkFinder | undefined;

  constructor(parts: ForeignGroupsParts) {
    this.#parts = parts;
    parts.claims.onClaim = (key, claim) => this.#onClaim(key, claim);
    const { relays, bus, instanceId } = parts;
    this.#finder =
      relays &&
      new LinkFinder({
        bus,
        instanceId,
        has: (listenerName, address) => this.#has(listenerName, address),
        onFound: (link, owner) => void this.#settle({ ...link, groupId: null, issuer: owner, isRelayed: false }),
      });
  }

  onForeignLink(listener: LiveListener, { id, issuer, address, isRelayed }: ForeignGroupEvent): void {
    void this.#settle({ listener, groupId: id, issuer, address, isRelayed });
  }

  /** A link of another instance's group, perhaps, which a balancer has moved here. */
  onStranger(listener: LiveListener, { address }: StrangerEvent): void {
    if (isServing(listener)) this.#finder?.seek({ listener, address });
  }

  onRelayEvent(sessionId: string, { type }: RelayEvent): void {
    const relay = this.#parts.relays?.ofSession(sessionId);
    if (relay === undefined) return;
    // One without an id is looked for again, should its sender go on.
    if (type === 'relay-owner-silent' && relay.link.groupId !== null) void this.#settle(relay.link);
    else void this.#parts.relays?.close(relay);
  }

  /** Returns whether it was one of a relay. The listener, on the same thread, goes on in another, and so does the link. */
  onSessionLost(sessionId: string): boolean {
    const { relays } = this.#parts;
    const relay = relays?.ofSession(sessionId);
    if (relay === undefined) return false;
    relays?.forget(sessionId);
    this.#settleLater(relay.link);
    return true;
  }

  /** A listener's media session is lost, and goes on in another: its links are handed on by that. */
  onListenerLost(listener: LiveListener): void {
    for (const relay of this.#relaysOf(listener)) {
      void this.#parts.relays?.close(relay);
      this.#settleLater(relay.link);
    }
  }

  stop(): void {
    this.#finder?.[Symbol.dispose]();
  }

  /** A listener is over. */
  async closeRelays(listener: LiveListener): Promise<void> {
    await Promise.all(this.#relaysOf(listener).map((relay) => this.#parts.relays?.close(relay)));
  }

  #relaysOf(listener: LiveListener): LiveRelay[] {
    return [...(this.#parts.relays?.values() ?? [])].filter(({ link }) => link.listener === listener);
  }

  #settleLater(link: ForeignLink): void {
    setTimeout(() => void this.#settle(link), AGAIN_MS).unref();
  }

  #has(listenerName: string, address: string): boolean {
    const words = parseSocketText(address);
    if (words === undefined) return false;
    const sender = endpoint(words);
    for (const listener of this.#parts.listeners()) {
      if (listener.name !== listenerName) continue;
      for (const { record } of listener.groups.values()) {
        if (record.links.some((link) => sameEndpoint(link.address, sender))) return true;
      }
    }
    return false;
  }

  async #settle(link: ForeignLink): Promise<void> {
    const { owners, media, relays, log, isDraining } = this.#parts;
    const { listener, groupId, issuer, address, isRelayed } = link;
    const key = keyOf(listener, address);
    if (this.#settling.has(key) || !isServing(listener)) return;
    this.#settling.add(key);
    try {
      const ownership =
        groupId === null
          ? owners.reach(issuer, listener.name)
          : await owners.find(groupId, issuer, listener.name, !isDraining());
      if (ownership.kind === 'ours' && groupId !== null) return await this.#adopt({ ...link, groupId });
      // It asks again in a second.
      if (ownership.kind === 'unknown' && groupId !== null) return;
      if (ownership.kind === 'other' && !isRelayed) return await this.#relay(link, ownership);
      // Nothing of it is to vanish in a relay that leads nowhere: what its sender says next, it says to us.
      const relay = relays?.get(link);
      if (relay !== undefined) await relays?.close(relay);
      if (groupId === null) return;
      // What has been handed on once is not handed on again.
      this.refused += 1;
      await media.command(listener.mediaId, 'refuseForeign', { address, isRelayed });
    } catch (err) {
      log.warn({ err, listener: listener.name, link: endpointText(address) }, 'a link of a foreign group waits');
    } finally {
      this.#settling.delete(key);
    }
  }

  async #relay(link: ForeignLink, { instanceId, address }: Extract<Ownership, { kind: 'other' }>): Promise<void> {
    const { relays, log } = this.#parts;
    const before = relays?.get(link);
    if (relays === undefined || (before !== undefined && endpointText(before.ownerAddress) === endpointText(address))) {
      return;
    }
    if (before !== undefined) await relays.close(before);
    if (!(await relays.open(link, instanceId, address))) return;
    const { listener, address: from } = link;
    log.info(
      { listener: listener.name, link: endpointText(from), owner: instanceId, formerOwner: before?.owner },
      'a link is handed on to the owner of its group',
    );
  }

  async #adopt(link: AskingLink): Promise<void> {
    const { relays } = this.#parts;
    await this.#adoptions.run(async () => {
      const relay = relays?.get(link);
      if (relay !== undefined) await relays?.close(relay);
      await this.#join(link);
    });
    for (const other of [...(relays?.values() ?? [])]) {
      if (other.link.listener === link.listener && other.link.groupId === link.groupId) void this.#settle(other.link);
    }
  }

  async #join({ listener, groupId, issuer, address, isRelayed }: AskingLink): Promise<void> {
    const { opening, media, claims, log } = this.#parts;
    const isNew = !listener.hasGroup(groupId);
    const left = isNew ? await opening.takeOverForeign(listener, groupId) : undefined;
    if (left === 'ended') {
      claims.release(groupId, false);
      await media.command(listener.mediaId, 'refuseForeign', { address, isRelayed });
      return;
    }
    const links = (left?.formerLinks ?? []).flatMap((former) =>
      former.address === undefined ? [] : [{ address: addressWords(former.address), joinedLate: former.joinedLate }],
    );
    const args = { id: groupId, links, stream: left?.stream ?? null, address, isRelayed };
    const isHere = await media.command(listener.mediaId, 'adoptGroup', args);
    if (!isNew) return;
    if (!isHere) {
      claims.release(groupId, false);
      if (left !== undefined) await opening.giveUp(listener, left);
    } else {
      this.adopted += 1;
      log.warn(
        {
          listener: listener.name,
          formerOwner: issuer,
          formerGroupId: left?.record.formerGroupId,
          link: endpointText(address),
        },
        'a group whose instance is gone is adopted',
      );
    }
  }

  /**
   * Somebody, we perhaps, has claimed a group. Links of it that are handed on follow. Who has it though another one has claimed it, for it
   * was taken for dead, says so if its SRT session is the later one; else it lets go. An encoder has but one session: that of before is over.
   */
  #onClaim(key: string, claim: Claim): void {
    const { relays, groups } = this.#parts;
    const { instanceId } = claim;
    for (const { link, owner } of [...(relays?.values() ?? [])]) {
      if (link.groupId !== null && claimKey(link.groupId) === key && owner !== instanceId) void this.#settle(link);
    }
    if (instanceId === this.#parts.instanceId) return;
    for (const group of groups()) if (claimKey(group.key) === key) void this.#contested(group, claim);
  }

  async #contested(group: LiveGroup, claim: Claim): Promise<void> {
    const { claims, media, log } = this.#parts;
    const { listener, key, record } = group;
    const { instanceId: claimant } = claim;
    const facts = { groupId: group.id, claimant };
    try {
      const streamUnixMs = group.streams ? (record.streamTime?.getTime() ?? 0) : 0;
      if (streamUnixMs > claim.streamUnixMs) {
        log.warn(facts, 'a group that streams here was claimed by another instance: it is claimed back');
        return await claims.insist(key, streamUnixMs);
      }
      log.warn(facts, 'a group was claimed by another instance: it is left to it');
      claims.yield(key);
      const links = record.links.filter(({ relayedBy }) => relayedBy === '');
      await media.command(listener.mediaId, 'releaseGroup', { group: group.serial });
      for (const { address } of links) {
        if (address === undefined) continue;
        void this.#settle({
          listener,
          groupId: key,
          issuer: claimant,
          address: addressWords(address),
          isRelayed: false,
        });
      }
    } catch (err) {
      log.warn({ err, ...facts }, 'a group that two instances claim stays as it is');
    }
  }
}

/** While it closes, its links are nobody's that somebody else could have. */
function isServing({ isOpen, closing }: LiveListener): boolean {
  return isOpen && closing === undefined;
}
