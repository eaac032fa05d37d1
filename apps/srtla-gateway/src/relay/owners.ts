import type { Bus, Fleet } from '@mediaplane/control';
import type { AddressWords } from '@mediaplane/net';
import type { OwnerClaims } from './owner-claims.ts';
import { parseSocketText, relayPurpose } from './relay-network.ts';

/** By then every instance that lives has been heard of: they speak every second. */
const HEARD_ALL_MS = 4000;
/** Claims that others make in between, before it is given up for now. */
const ATTEMPTS = 3;

/**
 * Who has a group that its id names another instance for. `unreachable`: somebody has it, but no link can be handed on to it; `unknown`:
 * nobody can tell for now.
 */
export type Ownership =
  | { readonly kind: 'ours' }
  | { readonly kind: 'other'; readonly instanceId: string; readonly address: AddressWords }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'unknown' };

export interface OwnersOptions {
  readonly service: string;
  readonly instanceId: string;
  readonly bus: Pick<Bus, 'state'>;
  readonly fleet: Pick<Fleet, 'list'>;
  readonly claims: Pick<OwnerClaims, 'owner' | 'take'>;
  /** Links can be handed on. */
  readonly canRelay: boolean;
  /** Monotonic. */
  nowMs(): number;
}

/** Finds the owner of a group, and makes this instance the owner where that one is gone. */
export class Owners {
  readonly #options: OwnersOptions;
  readonly #startedMs: number;

  constructor(options: OwnersOptions) {
    this.#options = options;
    this.#startedMs = options.nowMs();
  }

  /** `issuer`: as the id says. `mayTake`: not while draining. Rejects with ServiceError. */
  async find(groupId: string, issuer: string, listenerName: string, mayTake: boolean): Promise<Ownership> {
    const { bus, claims, instanceId } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const claim = bus.state === 'connected' ? await claims.owner(groupId) : undefined;
      const owner = claim ?? issuer;
      if (owner === instanceId) return { kind: 'ours' };
      const place = this.#place(owner, listenerName);
      if (place !== 'gone') return place;
      if (!mayTake || bus.state === 'away') break;
      if (await claims.take(groupId, claim)) return { kind: 'ours' };
    }
    return { kind: 'unknown' };
  }

  /** Where links are handed on to an instance. */
  reach(instanceId: string, listenerName: string): Ownership {
    const place = this.#place(instanceId, listenerName);
    return place === 'gone' ? { kind: 'unknown' } : place;
  }

  #place(owner: string, listenerName: string): Ownership | 'gone' {
    const { fleet, service, bus, canRelay, nowMs } = this.#options;
    const member = fleet.list({ service }).find(({ instanceId }) => instanceId === owner);
    if (member === undefined && nowMs() - this.#startedMs < HEARD_ALL_MS) return { kind: 'unknown' };
    // While the bus is away nobody is heard, and nothing is proven by that.
    if (member === undefined || (member.away && bus.state === 'connected')) return 'gone';
    const address = parseSocketText(member.addresses[relayPurpose(listenerName)] ?? '');
    return canRelay && address !== undefined ? { kind: 'other', instanceId: owner, address } : { kind: 'unreachable' };
  }
}
