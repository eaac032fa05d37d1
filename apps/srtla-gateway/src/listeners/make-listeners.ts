import { makeSessionId } from '@mediaplane/control';
import type { NetInterface, UdpSockets } from '@mediaplane/net';
import type { SrtlaGatewayRuntime } from '../runtime.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { TokenKeys } from '../keys/token-keys.ts';
import { GROUP_KIND, LISTENER_KIND } from '../kinds.ts';
import type { Meters } from '../metrics.ts';
import { NamedRecords } from '../records/named-records.ts';
import type { NodeStores } from '../records/open-stores.ts';
import { ForeignGroups } from '../relay/foreign-groups.ts';
import { CLAIM_TTL_MS, OwnerClaims } from '../relay/owner-claims.ts';
import { Owners } from '../relay/owners.ts';
import type { RelayNetwork } from '../relay/relay-network.ts';
import { Relays } from '../relay/relays.ts';
import { FloodNotes } from './flood-notes.ts';
import { GroupEvents } from './group-events.ts';
import { GroupRecords } from './group-records.ts';
import { Listeners } from './listeners.ts';
import type { LiveGroup } from './live-group.ts';
import { Opening } from './opening.ts';
import { Sampler } from './sampler.ts';
import type { SessionEvents } from './session-events.ts';
import type { Totals } from './totals.ts';
import { UpstreamPorts } from './upstream-ports.ts';
import { Upstreams } from './upstreams.ts';
import type { ListenerMedia } from './upstreams.ts';

const CLAIMS_BUCKET = 'mp_v1_srtla-gateway_owners';

export interface MakeListenersParts {
  readonly runtime: SrtlaGatewayRuntime;
  readonly media: ListenerMedia;
  readonly sockets: UdpSockets;
  /** Undefined: links are not handed on. */
  readonly network: RelayNetwork | undefined;
  readonly interfaces: readonly NetInterface[];
  readonly stores: NodeStores;
  readonly ingest: Ingest;
  readonly sessions: SessionEvents;
  readonly totals: Totals;
  readonly meters: Meters;
  /** As they are now. */
  keys(): TokenKeys;
  /** Once a second. */
  onSamples(groups: readonly LiveGroup[]): void;
}

export interface MadeListeners {
  readonly listeners: Listeners;
  readonly ports: UpstreamPorts;
  /** Undefined: links are not handed on. */
  readonly relays: Relays | undefined;
  /** Undefined: there are no other instances. */
  readonly foreignGroups: ForeignGroups | undefined;
}

/** Listeners, put together from the parts that do their work. What ends with them goes on `stack`. */
export function makeListeners(parts: MakeListenersParts, stack: AsyncDisposableStack): MadeListeners {
  const { runtime, media, sockets, network, interfaces, stores, ingest, sessions, totals, meters } = parts;
  const { config, log, instanceId } = runtime;
  const { dscp } = config.net;
  const { maxAgeMs } = config.tokens;
  const { upstreamReceiveBufferBytes: upstreamBytes, listenerReceiveBufferBytes } = config.sockets;
  const newGroupId = (): string => makeSessionId(GROUP_KIND, instanceId);

  const listenerRecords = new NamedRecords(stores.listeners, 'listener');
  const retention = { resumeWithinMs: config.state.resumeWithinMs, tombstoneMs: maxAgeMs };
  const records = new GroupRecords(stores.groups, retention, log);
  stack.defer(async () => {
    await Promise.all([listenerRecords.stop(), records.stop()]);
  });
  const claims =
    runtime.bus.system === 'nats'
      ? stack.use(new OwnerClaims({ kv: runtime.bus.kv(CLAIMS_BUCKET, { ttlMs: CLAIM_TTL_MS }), instanceId, log }))
      : undefined;
  const ports = new UpstreamPorts({
    sockets,
    minPort: config.upstream.portMin,
    maxPort: config.upstream.portMax,
    socketOptions: { dscp, receiveBufferBytes: upstreamBytes, sendBufferBytes: upstreamBytes },
  });
  const upstreams = new Upstreams({ media, ports, sourceAddress: config.upstream.sourceAddress });
  const opening = new Opening({
    instanceId,
    newListenerId: () => makeSessionId(LISTENER_KIND, instanceId),
    newGroupId,
    media,
    sockets,
    interfaces,
    dscp,
    receiveBufferBytes: listenerReceiveBufferBytes,
    upstreams,
    records,
    tokens: () => {
      const { current, previous } = parts.keys();
      return { current, ...(previous === undefined ? {} : { previous }), instanceId, maxAgeMs };
    },
    relays: network,
    announce: runtime.announce,
    foreignGroups: claims === undefined ? 'adopt' : 'tell',
    mayResume: async (key, formerInstanceId) => (await claims?.resume(key, formerInstanceId)) ?? true,
    log,
  });
  const groupEvents = new GroupEvents({
    instanceId,
    newGroupId,
    media,
    upstreams,
    ingest,
    sessions,
    records,
    log,
    onGroupUp: () => meters.groupUp(),
    onGroupDown: (group, reason, leave) => {
      claims?.release(group.key, leave);
      meters.groupDown(Date.now() - (group.record.createTime?.getTime() ?? Date.now()), reason);
    },
    onIngest: (outcome) => meters.ingest(outcome),
  });
  const listeners: Listeners = new Listeners({
    opening,
    groupEvents,
    upstreams,
    sessions,
    groupRecords: records,
    listenerRecords,
    media,
    sockets,
    sampler: () => sampler,
    onForeignLink: (listener, event) => foreignGroups?.onForeignLink(listener, event),
    onStranger: (listener, event) => foreignGroups?.onStranger(listener, event),
    onListenerLost: (listener) => foreignGroups?.onListenerLost(listener),
    closeRelays: async (listener) => foreignGroups?.closeRelays(listener),
    log,
  });
  const relays = network && new Relays({ media, network, instanceId, maxLinks: config.relay.maxLinks });
  const foreignGroups =
    claims &&
    new ForeignGroups({
      instanceId,
      owners: new Owners({
        service: runtime.name,
        instanceId,
        bus: runtime.bus,
        fleet: runtime.fleet,
        claims,
        canRelay: network !== undefined,
        nowMs: () => performance.now(),
      }),
      claims,
      relays,
      opening,
      media,
      bus: runtime.bus,
      listeners: () => listeners.values(),
      groups: () => listeners.groups(),
      isDraining: () => listeners.isDraining,
      log,
    });
  stack.defer(() => foreignGroups?.stop());
  const sampler: Sampler = new Sampler({
    media,
    listeners: () => listeners.values(),
    records,
    totals,
    floods: new FloodNotes(log),
    onSamples: (groups) => parts.onSamples(groups),
  });
  stack.defer(() => sampler.stop());
  stack.defer(() => listeners.stop());
  return { listeners, ports, relays, foreignGroups };
}
