import type { Observation } from '@mediaplane/service';
import type { ReceiverCounters } from '../domain/receiver/receiver-parts.ts';
import type { RelayCounters, RelayTraffic } from '../domain/relay/relay-parts.ts';
import type { GroupStatistics, ListenerStatistics } from '../media/listener-contract.ts';
import type { UplinkView } from '../uplinks/view.ts';

/** What metrics and the log call the counters of datagrams that came to nothing. */
export const DROP_CAUSES = new Map<keyof ReceiverCounters, string>([
  ['strangers', 'stranger'],
  ['malformed', 'malformed'],
  ['unexpected', 'unexpected'],
  ['unknownGroups', 'unknown_group'],
  ['rateLimited', 'rate_limited'],
  ['draining', 'draining'],
  ['full', 'full'],
  ['taken', 'taken'],
  ['late', 'late'],
  ['notAccepted', 'not_accepted'],
]);

const RELAY_CAUSES = new Map<keyof RelayCounters, string>([
  ['hellosRefused', 'relay_hello'],
  ['unproven', 'relay_unproven'],
  ['overRate', 'relay_over_rate'],
]);

const UPLINK_FATES = ['packets', 'resent', 'expired', 'duplicates', 'dropped'] as const;
type Fate = (typeof UPLINK_FATES)[number];

/**
 * Counters of the whole instance, that only grow, made of readings of listeners, groups and uplinks, which come and go with theirs. What
 * happens between the last reading of one and its end, a second at the most, is not counted.
 */
export class Totals {
  packets = 0;
  bytes = 0;
  retransmitted = 0;
  nakPackets = 0;
  readonly #dropped = new Map<keyof ReceiverCounters, number>();
  readonly #relayDropped = new Map<keyof RelayCounters, number>();
  readonly #relayed = new Map<keyof RelayTraffic, number>();
  readonly #fates = new Map<Fate, number>();
  /** By the listener, the group, the uplink's id. */
  readonly #lastListener = new WeakMap<object, ListenerStatistics>();
  readonly #lastGroup = new WeakMap<object, GroupStatistics>();
  readonly #lastUplink = new Map<string, Readonly<Record<Fate, number>>>();

  listener(listener: object, now: ListenerStatistics): void {
    const last = this.#lastListener.get(listener);
    for (const cause of DROP_CAUSES.keys()) {
      add(this.#dropped, cause, increase(now.counters[cause], last?.counters[cause]));
    }
    for (const cause of RELAY_CAUSES.keys()) {
      add(this.#relayDropped, cause, increase(now.relayCounters?.[cause] ?? 0, last?.relayCounters?.[cause]));
    }
    for (const way of ['toOwnerPackets', 'toOwnerBytes', 'fromOwnerPackets', 'fromOwnerBytes'] as const) {
      add(this.#relayed, way, increase(now.relayTraffic[way], last?.relayTraffic[way]));
    }
    this.#lastListener.set(listener, now);
  }

  group(group: object, now: GroupStatistics): void {
    const last = this.#lastGroup.get(group);
    this.packets += increase(now.packets, last?.packets);
    this.bytes += increase(now.bytes, last?.bytes);
    this.retransmitted += increase(now.retransmitted, last?.retransmitted);
    this.nakPackets += increase(now.serverNakPackets, last?.serverNakPackets);
    this.#lastGroup.set(group, now);
  }

  uplink({ uplinkId, statistics }: UplinkView): void {
    if (statistics === null) return;
    const last = this.#lastUplink.get(uplinkId);
    for (const fate of UPLINK_FATES) add(this.#fates, fate, increase(statistics[fate], last?.[fate]));
    this.#lastUplink.set(uplinkId, statistics);
  }

  forgetUplink(uplinkId: string): void {
    this.#lastUplink.delete(uplinkId);
  }

  *dropped(): Generator<Observation> {
    for (const [cause, name] of DROP_CAUSES) yield [this.#dropped.get(cause) ?? 0, { 'media.drop.cause': name }];
    for (const [cause, name] of RELAY_CAUSES) yield [this.#relayDropped.get(cause) ?? 0, { 'media.drop.cause': name }];
  }

  *relayed(unit: 'Packets' | 'Bytes'): Generator<Observation> {
    yield [this.#relayed.get(`toOwner${unit}`) ?? 0, { 'media.relay.direction': 'to_owner' }];
    yield [this.#relayed.get(`fromOwner${unit}`) ?? 0, { 'media.relay.direction': 'from_owner' }];
  }

  *uplinkPackets(): Generator<Observation> {
    for (const fate of UPLINK_FATES) yield [this.#fates.get(fate) ?? 0, { 'media.uplink.fate': fate }];
  }
}

/** What counts anew, because its media thread is another, counts from nothing. */
export function increase(now: number, last = 0): number {
  return now >= last ? now - last : now;
}

function add<K>(sums: Map<K, number>, key: K, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
