import { availableParallelism } from 'node:os';
import { makeSessionId } from '@mediaplane/control';
import type { Logger } from '@mediaplane/control';
import { MediaThreads } from '@mediaplane/media';
import { createUdpSockets, defaultImplementation } from '@mediaplane/net';
import type { NetInterface, UdpSockets } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';
import { ConfigError, netInterfaces, portRangeAdvice, proveInterfaces, readProc } from '@mediaplane/service';
import type { ServedApi } from '@mediaplane/service';
import { makeUplinks } from './api/make-uplinks.ts';
import { srtlaGatewayApi } from './api/srtla-gateway-api.ts';
import type { UplinkSessions } from './api/uplink-sessions.ts';
import type { StandingUplinks } from './api/standing-uplinks.ts';
import { serveStatistics, statisticsKey } from './http/serve-statistics.ts';
import { Authorizer } from './ingest/authorizer.ts';
import { Ingest } from './ingest/ingest.ts';
import { resolveServer } from './ingest/resolve.ts';
import { readRelayKeys } from './keys/relay-keys.ts';
import { readTokenKeys, watchTokenKeys } from './keys/token-keys.ts';
import { GROUP_KIND, LISTENER_KIND, UPLINK_KIND } from './kinds.ts';
import { configuredListeners } from './listeners/configured.ts';
import type { Listeners } from './listeners/listeners.ts';
import type { LiveGroup } from './listeners/live-group.ts';
import { makeListeners } from './listeners/make-listeners.ts';
import { SessionEvents } from './listeners/session-events.ts';
import { Totals } from './listeners/totals.ts';
import type { UpstreamPorts } from './listeners/upstream-ports.ts';
import type { SrtlaContract, SrtlaEvent } from './media/contract.ts';
import type { ListenerEvent } from './media/listener-contract.ts';
import type { RelayEvent } from './media/relay-contract.ts';
import { registerMeters, registerMetrics } from './metrics.ts';
import { openStores } from './records/open-stores.ts';
import { RelayNetwork } from './relay/relay-network.ts';
import type { SrtlaGatewayRuntime } from './runtime.ts';
import { configuredUplinks } from './uplinks/configured.ts';
import { isUplinkEvent } from './uplinks/happening.ts';
import { StatisticsBus } from './watch/statistics-bus.ts';

/** Media threads run from source, also when this file was compiled to dist/. */
const PROGRAM = new URL('../src/media/program.ts', import.meta.url);

interface Parts {
  readonly apis: readonly ServedApi[];
  readonly listeners: Listeners;
  readonly uplinks: UplinkSessions;
  readonly standingUplinks: StandingUplinks;
  readonly media: MediaThreads<SrtlaContract>;
  readonly ports: UpstreamPorts;
  readonly instanceId: string;
  readonly log: Logger;
  /** What runs besides; the last to start is the first to end. */
  readonly stack: AsyncDisposableStack;
}

/** A running srtla-gateway: its media threads, its listeners and uplinks, and the API that it answers. */
export class SrtlaGateway {
  readonly apis: readonly ServedApi[];
  readonly listeners: Listeners;
  readonly uplinks: UplinkSessions;
  readonly media: MediaThreads<SrtlaContract>;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.apis = parts.apis;
    this.listeners = parts.listeners;
    this.uplinks = parts.uplinks;
    this.media = parts.media;
    this.#parts = parts;
  }

  static async start(runtime: SrtlaGatewayRuntime): Promise<SrtlaGateway> {
    await using stack = new AsyncDisposableStack();
    const { config, log, instanceId, bus, directory, events } = runtime;
    const { net, upstream, state, tokens: tokenConfig } = config;
    const readKey = statisticsKey(config.statistics);
    for (const { topic, message } of portRangeAdvice(upstream.portMin, upstream.portMax, readProc)) {
      log.warn({ topic }, message);
    }
    const implementation =
      net.implementation === 'auto' ? defaultImplementation({}, process.platform, process.arch) : net.implementation;
    const sockets = createUdpSockets(implementation);
    const interfaces = netInterfaces(net.interfaces);
    await proveInterfaces(interfaces, sockets);
    await proveSourceAddress(upstream.sourceAddress, sockets);
    const listenersWanted = configuredListeners(config.listeners, interfaces, upstream);
    const uplinksWanted = configuredUplinks(config.uplinks, upstream);

    const keySource = { tokens: tokenConfig, stateFolder: state.folder, bus, log };
    let keys = await readTokenKeys(keySource);
    const network = await relayNetwork(runtime, sockets, interfaces);
    const stores = openStores({ bus, log, node: state.node, folder: state.folder, groupTtlMs: tokenConfig.maxAgeMs });
    const media = await MediaThreads.start<SrtlaContract>({
      threads: config.media.threads === 0 ? Math.max(availableParallelism() - 1, 1) : config.media.threads,
      program: PROGRAM,
      programCounters: [],
      implementation,
      batchCalls: net.batchCalls,
      latencyBudgetUs: net.latencyBudgetUs,
      arenaBytes: config.memory.arenaBytes,
      onEvent: (sessionId, event) => {
        if (isUplinkEvent(event)) uplinks.onMediaEvent(sessionId, event);
        else if (isRelayEvent(event)) foreignGroups?.onRelayEvent(sessionId, event);
        else if (isListenerEvent(event)) listeners.onMediaEvent(sessionId, event);
      },
      onSessionLost: (sessionId, handles, cause) => {
        if (uplinks.onSessionLost(sessionId, handles, cause)) return;
        if (foreignGroups?.onSessionLost(sessionId) !== true) listeners.onSessionLost(sessionId, cause);
      },
      onThreadRestarted: (thread, cause) => log.error({ thread, cause }, 'a media thread was replaced'),
    });
    stack.defer(() => media.stop());

    const sessions = new SessionEvents(instanceId, directory, events, log);
    const authorizer = stack.use(
      new Authorizer({
        bus,
        timeoutMs: config.ingest.callbackTimeoutMs,
        caFile: config.ingest.callbackCaFile,
        tokenFile: config.ingest.callbackTokenFile,
      }),
    );
    const ingest = new Ingest(authorizer, resolveServer, log);
    const totals = new Totals();
    const meters = registerMeters(runtime.metrics);
    const { uplinks, uplinkSessions, standingUplinks } = makeUplinks(
      { runtime, media, sockets, store: stores.uplinks, sessions, totals },
      stack,
    );
    const statistics = stack.use(new StatisticsBus(bus));
    const { listeners, ports, relays, foreignGroups } = makeListeners(
      {
        runtime,
        media,
        sockets,
        network,
        interfaces,
        stores,
        ingest,
        sessions,
        totals,
        meters,
        keys: () => keys,
        onSamples: (groups) =>
          statistics.report(
            () => groups.map(sampleOf),
            () => uplinkSessions.samples(),
          ),
      },
      stack,
    );
    stack.use(
      watchTokenKeys(keySource, keys, (changed) => {
        keys = changed;
        listeners
          .setTokenKeys(changed)
          .catch((err: unknown) => log.error({ err }, 'token keys not told to all listeners'));
      }),
    );
    log.info(
      {
        threads: media.threads.length,
        implementation,
        batchedCalls: media.threads.every((thread) => thread.batchesCalls),
        upstreamPorts: `${upstream.portMin}-${upstream.portMax}`,
        tokenKeyId: keys.current.id,
        state: bus.system === 'nats' ? 'nats' : state.folder,
      },
      'media threads are running',
    );
    await listeners.start(listenersWanted);
    await standingUplinks.start(uplinksWanted);
    if (readKey !== '') await serveStatistics(config.statistics, readKey, statistics, runtime, stack);

    registerMetrics(runtime.metrics, {
      media,
      listeners,
      totals,
      uplinks,
      ports,
      ingest,
      stores,
      relays,
      foreignGroups,
    });
    const { maxWatches } = config.streams;
    const api = srtlaGatewayApi({
      listeners,
      uplinks: uplinkSessions,
      standingUplinks,
      interfaces,
      upstream,
      directory,
      events,
      statistics,
      maxWatches,
    });
    return new SrtlaGateway({
      apis: [api],
      listeners,
      uplinks: uplinkSessions,
      standingUplinks,
      media,
      ports,
      instanceId,
      log,
      stack: stack.move(),
    });
  }

  /** What a drain waits for: groups, and uplinks with an encoder. */
  get sessions(): number {
    return this.listeners.groupCount + this.uplinks.streaming;
  }

  setDraining(draining: boolean): void {
    this.listeners.setDraining(draining);
    if (draining) return;
    const { standingUplinks, log } = this.#parts;
    standingUplinks.resume().catch((err: unknown) => log.error({ err }, 'uplinks are not opened again'));
  }

  /** The grace period is over. */
  async closeAll(): Promise<void> {
    await this.listeners.leaveGroups();
    await this.uplinks.closeAll();
  }

  /** A survivor has told the fleet that these are over. */
  async closeOrphans(sessionIds: readonly string[]): Promise<void> {
    const ids = new Set(sessionIds);
    const { instanceId } = this.#parts;
    const newId = (kind: 'listener' | 'group'): string =>
      makeSessionId(kind === 'listener' ? LISTENER_KIND : GROUP_KIND, instanceId);
    this.listeners.renew(ids, newId);
    this.uplinks.renew(ids, () => makeSessionId(UPLINK_KIND, instanceId));
  }

  /** Why the process should be restarted; undefined while it is well. */
  unhealthy(): string | undefined {
    return this.media.unhealthy();
  }

  status(): object {
    const { ports } = this.#parts;
    return {
      listeners: [...this.listeners.values()].map(({ name, record, groups }) => ({
        name,
        address: record.address,
        groups: groups.size,
      })),
      listenersWaiting: this.listeners.waiting,
      uplinksWaiting: this.#parts.standingUplinks.waiting,
      groups: this.listeners.groupCount,
      uplinks: this.uplinks.count,
      upstreamPorts: { used: ports.used, size: ports.size },
      mediaThreads: this.media.status(),
    };
  }

  /** Called by Nest when the app ends. */
  async onModuleDestroy(): Promise<void> {
    await this.#parts.stack.disposeAsync();
  }
}

/** Rejects with ConfigError. */
async function proveSourceAddress(address: string, sockets: UdpSockets): Promise<void> {
  if (address === '') return;
  try {
    sockets.close(await sockets.open({ address, port: 0 }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`configuration: upstream.sourceAddress = ${address}: must be one of this machine (${why})`);
  }
}

function isListenerEvent(event: SrtlaEvent): event is ListenerEvent {
  return !isUplinkEvent(event) && !isRelayEvent(event);
}

function isRelayEvent(event: SrtlaEvent): event is RelayEvent {
  return event.type.startsWith('relay-');
}

function sampleOf(group: LiveGroup): srtla.GroupSample {
  const { streamName, latencyMs, streamTime } = group.record;
  const stream = group.streams ? { latencyMs, streamTime } : { latencyMs: 0, streamTime: undefined };
  return { groupId: group.id, statistics: group.rates.latest, streamName, ...stream };
}

/** Undefined without a key, and where there are no other instances. Rejects with ConfigError. */
async function relayNetwork(
  { config, bus, log }: SrtlaGatewayRuntime,
  sockets: UdpSockets,
  interfaces: readonly NetInterface[],
): Promise<RelayNetwork | undefined> {
  const { port, maxPacketsPerSecond } = config.relay;
  const keys = await readRelayKeys(config.relay);
  if (keys === undefined) return undefined;
  if (bus.system !== 'nats') {
    log.warn('relay.keyFile is of no use without NATS: there are no other instances');
    return undefined;
  }
  return new RelayNetwork({
    sockets,
    interfaces,
    dscp: config.net.dscp,
    ownerBufferBytes: config.sockets.listenerReceiveBufferBytes,
    linkBufferBytes: config.sockets.upstreamReceiveBufferBytes,
    port,
    keys,
    maxPacketsPerSecond,
  });
}
