import { plainAddress } from '@mediaplane/net';
import type { Group, Link } from '../domain/receiver/group.ts';
import type { Receiver } from '../domain/receiver/receiver.ts';
import type { RelayTraffic } from '../domain/relay/relay-parts.ts';
import type { GroupLinkStatistics, GroupStatistics, ListenerStatistics } from './listener-contract.ts';

/** What a listener says when it is asked; plain data. */
export function readListener(receiver: Receiver, relayTraffic: RelayTraffic, nowUs: number): ListenerStatistics {
  return {
    sampledUs: nowUs,
    counters: { ...receiver.counters },
    relayCounters: receiver.relayCounters === null ? null : { ...receiver.relayCounters },
    relayTraffic: { ...relayTraffic },
    halfOpenGroups: receiver.halfOpen,
    groups: Array.from(receiver.groups.values(), (group) => readGroup(group, nowUs)),
  };
}

function readGroup(group: Group, nowUs: number): GroupStatistics {
  const { stream } = group;
  return {
    group: group.serial,
    upMs: (nowUs - group.upUs) / 1000,
    isAccepted: stream !== null,
    latencyMs: stream?.latencyMs ?? 0,
    ...group.tally,
    links: group.links.map((link) => readLink(link, nowUs)),
  };
}

function readLink(link: Link, nowUs: number): GroupLinkStatistics {
  const { telemetry } = link;
  return {
    address: plainAddress(link.origin),
    relayedBy: link.relayedBy,
    joinedLate: link.joinedLate,
    upMs: (nowUs - link.upUs) / 1000,
    heardAgoMs: (nowUs - link.heardUs) / 1000,
    packets: link.packets,
    bytes: link.bytes,
    jitterMs: link.jitter.us / 1000,
    telemetry: telemetry === null ? null : { ...telemetry },
  };
}
