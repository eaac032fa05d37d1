import { EmbeddedBus } from '@mediaplane/control';
import type { Directory, Events } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import { NetError } from '@mediaplane/net';
import type { AddressWords, UdpSocketHandle, UdpSockets } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { pino } from 'pino';
import { Ingest } from '../ingest/ingest.ts';
import type { Resolve } from '../ingest/resolve.ts';
import { ReceiverCounters } from '../domain/receiver/receiver-parts.ts';
import { RelayTraffic } from '../domain/relay/relay-parts.ts';
import type { SrtlaContract } from '../media/contract.ts';
import type { GroupEvent, GroupStatistics, ListenerInit, ListenerStatistics } from '../media/listener-contract.ts';
import { KvPlace } from '../records/kv-place.ts';
import { NamedRecords } from '../records/named-records.ts';
import { RecordStore } from '../records/record-store.ts';
import { addressWords } from './endpoint.ts';
import { FloodNotes } from './flood-notes.ts';
import { GroupEvents } from './group-events.ts';
import { GroupRecords } from './group-records.ts';
import { Listeners } from './listeners.ts';
import type { LiveGroup } from './live-group.ts';
import { Opening } from './opening.ts';
import { Sampler } from './sampler.ts';
import { SessionEvents } from './session-events.ts';
import { Totals } from './totals.ts';
import { UpstreamPorts } from './upstream-ports.ts';
import { Upstreams } from './upstreams.ts';
import type { ListenerMedia } from './upstreams.ts';

const LOOPBACK = '127.0.0.1';

/** Ports of a machine that nobody else uses but who is said to. */
export class BenchSockets implements UdpSockets {
  readonly capabilities = {
    implementation: 'dgram',
    blocking: false,
    tos: false,
    gso: false,
    kernelDrops: false,
  } as const;
  /** By port. */
  readonly bound = new Map<number, UdpSocketHandle>();
  readonly taken = new Set<number>();
  #id = 0;

  async open({ address, port }: { address: string; port: number }): Promise<UdpSocketHandle> {
    this.#id += 1;
    const bound = port === 0 ? 40_000 + this.#id : port;
    if (this.bound.has(bound) || this.taken.has(bound)) throw new NetError('address-in-use', `${bound}`);
    const handle: UdpSocketHandle = {
      id: this.#id,
      implementation: 'dgram',
      fd: -1,
      address,
      port: bound,
      dscp: 0,
      receiveBufferBytes: 0,
      sendBufferBytes: 0,
    };
    this.bound.set(bound, handle);
    return handle;
  }

  close({ port }: UdpSocketHandle): void {
    this.bound.delete(port);
  }

  kernelDrops(): number {
    return -1;
  }
}

interface BenchSession {
  readonly init: SrtlaContract['init'];
  /** Keys of a listener's groups, by serial. */
  readonly groups: Map<number, string>;
}

/** What a media thread does for listeners, in so many words. */
export class BenchMedia implements ListenerMedia {
  readonly sessions = new Map<string, BenchSession>();
  /** What was asked of it, in order. */
  readonly asked: string[] = [];
  /** So many times a listener is not opened: what it resumes is announced, and the thread dies. */
  failingOpens = 0;
  /** Listeners whose thread does not answer. */
  readonly stalled = new Set<string>();
  statistics: ListenerStatistics | undefined;
  onEvent: (sessionId: string, event: GroupEvent) => void = () => undefined;
  #serial = 0;

  readonly open: ListenerMedia['open'] = async (sessionId, _sockets, init, near) => {
    if (near !== undefined && !this.sessions.has(near)) throw new MediaError('command-failed', `no listener ${near}`);
    const session: BenchSession = { init, groups: new Map() };
    this.sessions.set(sessionId, session);
    this.asked.push(`open ${init.kind}`);
    if (init.kind === 'listener') {
      for (const { id, links } of init.resume)
        this.groupUp(
          sessionId,
          id,
          true,
          links.map(({ address }) => address),
        );
      await Promise.resolve();
      if (this.failingOpens > 0) {
        this.failingOpens -= 1;
        this.sessions.delete(sessionId);
        throw new MediaError('thread-lost', 'for the test');
      }
    }
    return null as never;
  };

  readonly close: ListenerMedia['close'] = async (sessionId) => {
    if (!this.sessions.delete(sessionId)) throw new MediaError('no-such-session', sessionId);
    return null as never;
  };

  readonly command: ListenerMedia['command'] = async (sessionId, name, args) => {
    const session = this.sessions.get(sessionId);
    if (session === undefined) throw new MediaError('no-such-session', sessionId);
    if (this.stalled.has(sessionId)) return new Promise(() => undefined);
    this.asked.push(name);
    const { group } = (args ?? {}) as { group?: number };
    if (name === 'listenerStatistics') return this.statistics as never;
    if (name !== 'kickGroup') return true as never;
    if (group === undefined || !session.groups.delete(group)) return false as never;
    this.onEvent(sessionId, { type: 'group-down', group, reason: 'kicked' });
    return true as never;
  };

  groupUp(sessionId: string, id: string, resumed = false, links: readonly AddressWords[] = []): number {
    this.#serial += 1;
    const group = this.#serial;
    this.sessions.get(sessionId)?.groups.set(group, id);
    this.onEvent(sessionId, { type: 'group-up', group, id, resumed });
    for (const address of links)
      this.onEvent(sessionId, { type: 'link-up', group, address, relayedBy: null, joinedLate: false });
    return group;
  }

  initOf(sessionId: string): ListenerInit | undefined {
    const init = this.sessions.get(sessionId)?.init;
    return init?.kind === 'listener' ? init : undefined;
  }
}

/** Listeners with everything around them made up. */
export class ListenersBench {
  readonly sockets = new BenchSockets();
  readonly media = new BenchMedia();
  /** What the log says, line by line. */
  readonly logged: Record<string, unknown>[] = [];
  readonly events: srtla.SrtlaEvent[] = [];
  readonly listeners: Listeners;
  readonly sampler: Sampler;
  readonly records: GroupRecords;
  readonly groupStore: RecordStore;
  readonly listenerStore: RecordStore;
  /** What names of SRT servers say. */
  resolve: Resolve = async ({ host, port }) => addressWords({ address: host, port });
  onSamples: (groups: readonly LiveGroup[]) => void = () => undefined;
  #sessions = 0;

  readonly #bus: EmbeddedBus;

  constructor(bus = new EmbeddedBus()) {
    this.#bus = bus;
    const { media, sockets } = this;
    const log = pino({ base: null, timestamp: false }, { write: (line) => void this.logged.push(JSON.parse(line)) });
    const directory: Directory<srtla.SrtlaSession> = {
      put: () => undefined,
      remove: () => undefined,
      pending: () => false,
      list: async () => [],
      walk: async function* () {},
      flush: async () => undefined,
    };
    const events: Events<srtla.SrtlaSession, srtla.SrtlaEvent> = {
      publish: (_, event) => void this.events.push(event),
      watch: async function* () {},
    };
    const store = (name: string): RecordStore => new RecordStore(new KvPlace(bus.kv(name, { ttlMs: 0 }), 'node'), log);
    this.groupStore = store('groups');
    this.listenerStore = store('listeners');
    this.records = new GroupRecords(this.groupStore, { resumeWithinMs: 60_000, tombstoneMs: 3_600_000 }, log);
    const newId = (kind: string) => (): string => `${kind}_bench_${(this.#sessions += 1)}`;
    const sessions = new SessionEvents('bench', directory, events, log);
    const ports = new UpstreamPorts({ sockets, minPort: 30_000, maxPort: 30_099, socketOptions: {} });
    const upstreams = new Upstreams({ media, ports, sourceAddress: LOOPBACK });
    const ingest = new Ingest(
      { ask: () => Promise.reject(new Error('nobody is asked')) },
      (server) => this.resolve(server),
      log,
    );
    const groupEvents = new GroupEvents({
      instanceId: 'bench',
      newGroupId: newId('gr'),
      media,
      upstreams,
      ingest,
      sessions,
      records: this.records,
      log,
      onGroupUp: () => undefined,
      onGroupDown: () => undefined,
      onIngest: () => undefined,
    });
    const opening = new Opening({
      instanceId: 'bench',
      newListenerId: newId('ln'),
      newGroupId: newId('gr'),
      media,
      sockets,
      interfaces: [{ name: 'default', bindAddress: LOOPBACK, advertisedAddress: LOOPBACK }],
      dscp: 0,
      receiveBufferBytes: 0,
      upstreams,
      records: this.records,
      relays: undefined,
      announce: () => undefined,
      foreignGroups: 'adopt',
      mayResume: async () => true,
      tokens: () => ({ current: { id: 1, secret: new Uint8Array(32) }, instanceId: 'bench', maxAgeMs: 3_600_000 }),
      log,
    });
    this.listeners = new Listeners({
      opening,
      groupEvents,
      upstreams,
      sessions,
      groupRecords: this.records,
      listenerRecords: new NamedRecords(this.listenerStore, 'listener'),
      media,
      sockets,
      sampler: () => this.sampler,
      onForeignLink: () => undefined,
      onStranger: () => undefined,
      onListenerLost: () => undefined,
      closeRelays: async () => undefined,
      log,
    });
    this.sampler = new Sampler({
      media,
      listeners: () => this.listeners.values(),
      records: this.records,
      totals: new Totals(),
      floods: new FloodNotes(log),
      onSamples: (groups) => this.onSamples(groups),
    });
    media.onEvent = (sessionId, event) => this.listeners.onMediaEvent(sessionId, event);
  }

  /** The next process on the node. */
  successor(): ListenersBench {
    return new ListenersBench(this.#bus);
  }

  /** A listener that sends everything to `host`; returns its media session. */
  async listen(name = 'main', host = '192.0.2.9'): Promise<{ mediaId: string; listenerId: string }> {
    const { listenerId } = await this.listeners.create(settingsOf(name, host));
    return { mediaId: listenerId, listenerId };
  }

  /** A listener whose one rule no stream id in use matches. */
  async listenByRules(): Promise<{ mediaId: string }> {
    const rules = {
      rules: [{ resource: 'live/*', action: { $case: 'refuse', value: srtla.IngestRefusal.FORBIDDEN } }],
    };
    const ingest = { policy: { $case: 'rules', value: rules } } as const;
    const settings = srtla.ListenerSettings.fromPartial({ name: 'rules', interface: 'default', ingest });
    const { listenerId } = await this.listeners.create(settings);
    return { mediaId: listenerId };
  }

  /** A group whose stream stands. Returns its serial. */
  async stream(mediaId: string, key: string): Promise<number> {
    const group = this.media.groupUp(mediaId, key, false, [addressWords({ address: '198.51.100.1', port: 4000 })]);
    await settled();
    this.accept(mediaId, group);
    return group;
  }

  accept(mediaId: string, group: number): void {
    this.media.onEvent(mediaId, {
      type: 'ingest-accepted',
      group,
      callerSocketId: 7,
      serverSocketId: 9,
      latencyMs: 200,
      streamId: null,
      isEncrypted: false,
      setupMs: 250,
    });
  }

  /** The one media thread dies, and another is there at once. */
  async die(): Promise<void> {
    const lost = [...this.media.sessions.keys()];
    this.media.sessions.clear();
    for (const sessionId of lost) this.listeners.onSessionLost(sessionId, 'for the test');
  }

  kinds(): (string | undefined)[] {
    return this.events.map(({ detail }) => detail?.$case);
  }
}

export function settingsOf(name: string, host: string, port = 0): srtla.ListenerSettings {
  return srtla.ListenerSettings.fromPartial({
    name,
    interface: 'default',
    port,
    ingest: { policy: { $case: 'fixed', value: { host, port: 5000 } } },
  });
}

/** What is under way without a timer is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A reading of a listener that has one group. */
export function statisticsOf(group: number): ListenerStatistics {
  const statistics: GroupStatistics = {
    group,
    upMs: 1000,
    isAccepted: true,
    latencyMs: 200,
    packets: 1,
    bytes: 1332,
    retransmitted: 0,
    notAccepted: 0,
    serverPackets: 0,
    serverBytes: 0,
    serverNotAccepted: 0,
    serverNaks: 0,
    serverNakPackets: 0,
    links: [],
  };
  return {
    sampledUs: 1e6,
    counters: new ReceiverCounters(),
    relayCounters: null,
    relayTraffic: new RelayTraffic(),
    halfOpenGroups: 0,
    groups: [statistics],
  };
}
