import type { MediaThreads } from '@mediaplane/media';
import { defineMetrics, droppedByThreads, registerThreadMetrics } from '@mediaplane/service';
import type { Metrics, Observation } from '@mediaplane/service';
import type { Ingest } from './ingest/ingest.ts';
import type { Listeners } from './listeners/listeners.ts';
import type { Totals } from './listeners/totals.ts';
import type { UpstreamPorts } from './listeners/upstream-ports.ts';
import type { SrtlaContract } from './media/contract.ts';
import type { NodeStores } from './records/open-stores.ts';
import type { ForeignGroups } from './relay/foreign-groups.ts';
import type { Relays } from './relay/relays.ts';
import type { Uplinks } from './uplinks/uplinks.ts';

/** What srtla-gateway reports beside what every service does. */
export const SRTLA_GATEWAY_METRICS = defineMetrics({
  listeners: {
    name: 'media.srtla.listeners',
    unit: '{listener}',
    description: 'Listeners that are open.',
    kind: 'sum',
    attributes: [],
  },
  groups: {
    name: 'media.srtla.groups',
    unit: '{group}',
    description: 'Groups: registered, and those whose SRT session stands.',
    kind: 'sum',
    attributes: ['media.group.state'],
  },
  links: {
    name: 'media.srtla.links',
    unit: '{link}',
    description: 'Links of groups.',
    kind: 'sum',
    attributes: [],
  },
  groupsCreated: {
    name: 'media.session.created',
    unit: '{session}',
    description: 'Groups that have registered.',
    kind: 'counter',
    attributes: [],
  },
  groupDuration: {
    name: 'media.session.duration',
    unit: 's',
    description: 'Length of groups, when they end.',
    kind: 'histogram',
    attributes: ['media.close.reason'],
    buckets: [1, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200],
  },
  ingest: {
    name: 'media.srtla.ingest',
    unit: '{request}',
    description:
      'SRT sessions that were accepted or refused, and calls of encoders that the SRT server did not answer.',
    kind: 'counter',
    attributes: ['media.ingest.outcome'],
  },
  ingestAsked: {
    name: 'media.srtla.ingest.asked',
    unit: '{request}',
    description: 'Callbacks that were asked.',
    kind: 'counter',
    attributes: [],
  },
  ingestFailures: {
    name: 'media.srtla.ingest.failures',
    unit: '{request}',
    description: 'Encoders that were refused because nobody could decide.',
    kind: 'counter',
    attributes: [],
  },
  packets: {
    name: 'media.srtla.packets',
    unit: '{packet}',
    description: 'SRT packets that came from senders.',
    kind: 'counter',
    attributes: [],
  },
  bytes: {
    name: 'media.srtla.io',
    unit: 'By',
    description: 'Their bytes.',
    kind: 'counter',
    attributes: [],
  },
  retransmitted: {
    name: 'media.srtla.retransmitted',
    unit: '{packet}',
    description: 'Of these, packets that encoders sent again.',
    kind: 'counter',
    attributes: [],
  },
  nakPackets: {
    name: 'media.srtla.nak.packets',
    unit: '{packet}',
    description: 'Packets that SRT servers reported lost.',
    kind: 'counter',
    attributes: [],
  },
  dropped: {
    name: 'media.srtla.dropped',
    unit: '{packet}',
    description:
      'Datagrams to listeners that came to nothing; for each thread also those to any socket that no session has seen (oversized, overflow).',
    kind: 'counter',
    attributes: ['media.drop.cause', 'media.thread'],
  },
  relayLinks: {
    name: 'media.srtla.relay.links',
    unit: '{link}',
    description: 'Links that are handed on to the owner of their group, and links of our groups that others hand on.',
    kind: 'sum',
    attributes: ['media.relay.role'],
  },
  relayPackets: {
    name: 'media.srtla.relay.packets',
    unit: '{packet}',
    description: 'Datagrams that were handed on, to owners of groups and back.',
    kind: 'counter',
    attributes: ['media.relay.direction'],
  },
  relayBytes: {
    name: 'media.srtla.relay.io',
    unit: 'By',
    description: 'Their bytes.',
    kind: 'counter',
    attributes: ['media.relay.direction'],
  },
  relayRefused: {
    name: 'media.srtla.relay.refused',
    unit: '{request}',
    description: 'Links that were not handed on: the owner cannot be reached, or there were as many as may be.',
    kind: 'counter',
    attributes: ['media.relay.fault'],
  },
  groupsAdopted: {
    name: 'media.srtla.groups.adopted',
    unit: '{group}',
    description: 'Groups whose instance was gone and that this one has taken over.',
    kind: 'counter',
    attributes: [],
  },
  uplinks: {
    name: 'media.srtla.uplinks',
    unit: '{uplink}',
    description: 'Uplinks that are open.',
    kind: 'sum',
    attributes: [],
  },
  uplinkLinks: {
    name: 'media.srtla.uplink.links',
    unit: '{link}',
    description: 'Links of uplinks, by what they are good for now.',
    kind: 'sum',
    attributes: ['media.link.state'],
  },
  uplinkPackets: {
    name: 'media.srtla.uplink.packets',
    unit: '{packet}',
    description: 'Packets of encoders, and what uplinks did beyond sending each of them once.',
    kind: 'counter',
    attributes: ['media.uplink.fate'],
  },
  portUsed: {
    name: 'media.port.used',
    unit: '{port}',
    description: 'Ports in use towards SRT servers.',
    kind: 'sum',
    attributes: [],
  },
  portLimit: {
    name: 'media.port.limit',
    unit: '{port}',
    description: 'Ports in the range.',
    kind: 'sum',
    attributes: [],
  },
  recordFailures: {
    name: 'media.srtla.record.failures',
    unit: '{record}',
    description: 'Records of this node that could not be written or read.',
    kind: 'counter',
    attributes: ['media.record.fault'],
  },
});

export interface MetricSources {
  readonly media: MediaThreads<SrtlaContract>;
  readonly listeners: Listeners;
  readonly totals: Totals;
  readonly uplinks: Uplinks;
  readonly ports: UpstreamPorts;
  readonly ingest: Ingest;
  readonly stores: NodeStores;
  readonly relays: Relays | undefined;
  readonly foreignGroups: ForeignGroups | undefined;
}

/** What is told when it happens. */
export interface Meters {
  groupUp(): void;
  groupDown(durationMs: number, reason: string): void;
  ingest(outcome: 'accepted' | 'refused' | 'unanswered'): void;
}

export function registerMeters(metrics: Metrics): Meters {
  const m = SRTLA_GATEWAY_METRICS;
  const created = metrics.counter(m.groupsCreated);
  const duration = metrics.histogram(m.groupDuration);
  const ingest = metrics.counter(m.ingest);
  return {
    groupUp: () => created.add(1),
    groupDown: (durationMs, reason) => duration.record(durationMs / 1000, { 'media.close.reason': reason }),
    ingest: (outcome) => ingest.add(1, { 'media.ingest.outcome': outcome }),
  };
}

export function registerMetrics(metrics: Metrics, sources: MetricSources): void {
  const m = SRTLA_GATEWAY_METRICS;
  const { media, listeners, totals, uplinks, ports, ingest, stores, relays, foreignGroups } = sources;
  metrics.observe(m.listeners, () => listeners.size);
  metrics.observe(m.groups, () => {
    const all = [...listeners.groups()];
    const streaming = all.filter((group) => group.streams).length;
    return [
      [streaming, { 'media.group.state': 'streaming' }],
      [all.length - streaming, { 'media.group.state': 'registered' }],
    ];
  });
  metrics.observe(m.links, () => [...listeners.groups()].reduce((sum, { record }) => sum + record.links.length, 0));
  metrics.observe(m.ingestAsked, () => ingest.asked);
  metrics.observe(m.ingestFailures, () => ingest.failures);
  metrics.observe(m.packets, () => totals.packets);
  metrics.observe(m.bytes, () => totals.bytes);
  metrics.observe(m.retransmitted, () => totals.retransmitted);
  metrics.observe(m.nakPackets, () => totals.nakPackets);
  metrics.observe(m.dropped, function* () {
    yield* totals.dropped();
    yield* droppedByThreads(media);
  });
  metrics.observe(m.relayLinks, () => [
    [relays?.size ?? 0, { 'media.relay.role': 'relaying' }],
    [relayedTo(listeners), { 'media.relay.role': 'owner' }],
  ]);
  metrics.observe(m.relayPackets, () => totals.relayed('Packets'));
  metrics.observe(m.relayBytes, () => totals.relayed('Bytes'));
  metrics.observe(m.relayRefused, () => [
    [foreignGroups?.refused ?? 0, { 'media.relay.fault': 'unreachable' }],
    [relays?.refused ?? 0, { 'media.relay.fault': 'full' }],
  ]);
  metrics.observe(m.groupsAdopted, () => foreignGroups?.adopted ?? 0);
  metrics.observe(m.uplinks, () => uplinks.count);
  metrics.observe(m.uplinkLinks, () => linksByPhase(uplinks));
  metrics.observe(m.uplinkPackets, () => totals.uplinkPackets());
  metrics.observe(m.portUsed, () => ports.used);
  metrics.observe(m.portLimit, () => ports.size);
  metrics.observe(m.recordFailures, () => [
    [sumOf(stores, 'failures'), { 'media.record.fault': 'failed' }],
    [sumOf(stores, 'corrupt'), { 'media.record.fault': 'corrupt' }],
    [sumOf(stores, 'dropped'), { 'media.record.fault': 'dropped' }],
  ]);
  registerThreadMetrics(metrics, media);
}

/** Over all stores. */
function sumOf(stores: NodeStores, count: 'failures' | 'corrupt' | 'dropped'): number {
  return stores.groups[count] + stores.listeners[count] + stores.uplinks[count];
}

function relayedTo(listeners: Listeners): number {
  let count = 0;
  for (const { record } of listeners.groups()) count += record.links.filter(({ relayedBy }) => relayedBy !== '').length;
  return count;
}

function* linksByPhase(uplinks: Uplinks): Generator<Observation> {
  const links = uplinks.list().flatMap((uplink) => uplink.links);
  for (const phase of ['disabled', 'no-socket', 'registering', 'up', 'weak', 'suspect', 'capped'] as const) {
    yield [links.filter((link) => link.phase === phase).length, { 'media.link.state': phase }];
  }
}
