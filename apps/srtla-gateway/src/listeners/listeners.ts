import type { Logger } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import type { UdpSockets } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import type { ForeignGroupEvent, ListenerEvent, StrangerEvent } from '../media/listener-contract.ts';
import type { TokenKeys } from '../keys/token-keys.ts';
import type { NamedRecords } from '../records/named-records.ts';
import { UntilOpen } from '../records/until-open.ts';
import { apiError, groupNotFound, listenerNotFound } from './errors.ts';
import { Closing } from './closing.ts';
import type { ClosingParts } from './closing.ts';
import type { GroupEvents } from './group-events.ts';
import type { GroupRecords } from './group-records.ts';
import type { LiveGroup } from './live-group.ts';
import type { LiveListener } from './live-listener.ts';
import type { Opening, OpeningOptions } from './opening.ts';
import { Recovery } from './recovery.ts';
import { renew } from './renew.ts';
import type { Sampler } from './sampler.ts';
import type { SessionEvents } from './session-events.ts';
import type { Upstreams } from './upstreams.ts';

const { EndReason } = srtla;

export interface ListenersParts extends ClosingParts {
  readonly opening: Opening;
  readonly groupEvents: GroupEvents;
  readonly upstreams: Upstreams;
  readonly sessions: SessionEvents;
  readonly groupRecords: GroupRecords;
  readonly listenerRecords: NamedRecords<'listener'>;
  readonly sockets: UdpSockets;
  readonly sampler: () => Sampler;
  /** A link wants into a group that another instance began. */
  onForeignLink(listener: LiveListener, event: ForeignGroupEvent): void;
  onStranger(listener: LiveListener, event: StrangerEvent): void;
  onListenerLost(listener: LiveListener): void;
  readonly log: Logger;
}

/** All listeners of this instance, with their groups. */
export class Listeners {
  readonly #parts: ListenersParts;
  /** By name. */
  readonly #listeners = new Map<string, LiveListener>();
  /** Names of those that are being opened. */
  readonly #opening = new Set<string>();
  readonly #untilOpen: UntilOpen<OpeningOptions>;
  readonly #stopped = new AbortController();
  readonly #recovery: Recovery;
  readonly #closing: Closing;
  #draining = false;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
    const { opening, upstreams, log } = parts;
    this.#untilOpen = new UntilOpen('a listener', (options) => this.#open(options), log);
    this.#closing = new Closing(parts);
    this.#recovery = new Recovery({
      opening,
      upstreams,
      log,
      signal: this.#stopped.signal,
      onOpen: (listener) => {
        if (this.#draining) this.#tellDraining(listener);
      },
    });
  }

  get size(): number {
    return this.#listeners.size;
  }

  get groupCount(): number {
    let count = 0;
    for (const { groups, resuming } of this.#listeners.values()) count += groups.size + resuming.size;
    return count;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Names of those that cannot be opened yet. */
  get waiting(): string[] {
    return this.#untilOpen.names;
  }

  values(): Iterable<LiveListener> {
    return this.#listeners.values();
  }

  *groups(): Generator<LiveGroup> {
    for (const listener of this.#listeners.values()) yield* listener.all();
  }

  /** What the configuration lists, and what the last instance on this node left. A port that cannot be had is tried until it can. */
  async start(configured: readonly srtla.ListenerSettings[]): Promise<void> {
    const { listenerRecords } = this.#parts;
    const records = await listenerRecords.load();
    const names = new Set(configured.map(({ name }) => name));
    for (const { settings, listenerId: formerId } of records) {
      if (settings === undefined) continue;
      if (names.has(settings.name)) listenerRecords.remove(settings.name);
      else await this.#untilOpen.begin(settings.name, { settings, configured: false, formerId });
    }
    for (const settings of configured) {
      await this.#untilOpen.begin(settings.name, { settings, configured: true, formerId: '' });
    }
    void this.#parts.groupRecords.sweep(Date.now());
  }

  /** In place of one of that name that waits for its port, unless the configuration names that. @throws ServiceError */
  async create(settings: srtla.ListenerSettings): Promise<srtla.Listener> {
    const { name } = settings;
    if (this.#untilOpen.get(name)?.configured === true) {
      const message = `the configuration has a listener ${name}, which waits for its port`;
      throw new ServiceError('ALREADY_EXISTS', 'LISTENER_EXISTS', message);
    }
    try {
      const listener = await this.#open({ settings, configured: false, formerId: '' });
      this.#untilOpen.forget(name);
      return { ...listener.record };
    } catch (error) {
      throw apiError(error);
    }
  }

  /** @throws ServiceError */
  async delete(listenerId: string): Promise<srtla.Listener> {
    const listener = this.#require(listenerId);
    if (listener.record.configured) {
      const message = `listener ${listener.name} comes from the configuration`;
      throw new ServiceError('FAILED_PRECONDITION', 'LISTENER_CONFIGURED', message);
    }
    this.#parts.listenerRecords.remove(listener.name);
    listener.closing ??= this.#closing.close(listener).finally(() => this.#forget(listener));
    await listener.closing;
    return { ...listener.record };
  }

  /** @throws ServiceError NOT_FOUND */
  async describeGroup(groupId: string, withStatistics: boolean): Promise<srtla.Group> {
    const group = this.#requireGroup(groupId);
    if (!withStatistics) return { ...group.record };
    return { ...group.record, statistics: await this.#statistics(group) };
  }

  /** Ends the group and its SRT session at both ends. @throws ServiceError NOT_FOUND */
  async kick(groupId: string, text: string): Promise<srtla.Group> {
    const group = this.#requireGroup(groupId);
    const statistics = await this.#statistics(group).catch(() => group.rates.latest);
    group.asked ??= { reason: EndReason.REQUESTED, text };
    await this.#closing.end(group);
    return { ...group.record, statistics };
  }

  onMediaEvent(mediaId: string, event: ListenerEvent): void {
    const listener = this.#ofMedia(mediaId);
    if (listener === undefined) return;
    if (event.type === 'foreign-group') this.#parts.onForeignLink(listener, event);
    else if (event.type === 'stranger') this.#parts.onStranger(listener, event);
    else this.#parts.groupEvents.handle(listener, event);
  }

  /** A media session has ended without being closed: its thread died or it threw. Its socket is whole, and so are the senders. */
  onSessionLost(mediaId: string, cause: string): void {
    const { upstreams, log } = this.#parts;
    const listener = this.#ofMedia(mediaId);
    if (listener !== undefined) {
      listener.isOpen = false;
      log.error(
        { listenerId: listener.id, cause, groups: listener.groups.size },
        'listener lost its media thread: it goes on in another',
      );
      this.#parts.onListenerLost(listener);
      this.#recovery.begin(listener);
      return;
    }
    const group = upstreams.groupOf(mediaId);
    upstreams.forget(mediaId);
    if (group === undefined || !group.listener.isOpen) return;
    log.error({ groupId: group.id, cause }, 'the upstream of a group was lost: it is opened again');
    group.turns
      .run(() => upstreams.reattach(group))
      .catch((err: unknown) => {
        log.error({ err, groupId: group.id }, 'upstream not opened again');
      });
  }

  /** While draining no new group comes up. */
  setDraining(draining: boolean): void {
    this.#draining = draining;
    for (const listener of this.#listeners.values()) this.#tellDraining(listener);
  }

  /** Also those that are being opened with the keys of before. Rejects when one does not take them; the others do. */
  async setTokenKeys({ current, previous }: TokenKeys): Promise<void> {
    const keys = { current, previous: previous ?? null };
    const isOpened = (err: unknown): boolean => !(err instanceof MediaError && err.code === 'no-such-session');
    const told = [...this.#listeners.values()].map(({ mediaId }) =>
      this.#parts.media.command(mediaId, 'setTokenKeys', keys),
    );
    const failures = (await Promise.allSettled(told)).flatMap((each) =>
      each.status === 'rejected' ? [each.reason] : [],
    );
    // One without a session is opened with the new ones.
    const refused = failures.filter(isOpened);
    if (refused.length > 0) throw new AggregateError(refused, 'token keys not taken');
  }

  /** The grace period is over: groups are left as they are, for the next instance on this node to go on with. */
  async leaveGroups(): Promise<void> {
    const groups = [...this.groups()];
    for (const group of groups) this.#parts.groupEvents.end(group, EndReason.SHUTDOWN, true);
    await Promise.all(groups.map(({ ended }) => ended.promise));
  }

  /** A survivor has ended these in the eyes of the fleet. */
  renew(sessionIds: ReadonlySet<string>, newId: (kind: 'listener' | 'group') => string): void {
    renew(this.#listeners.values(), sessionIds, newId, this.#parts.sessions);
  }

  /** The process ends. What is stored stays for the next one. */
  async stop(): Promise<void> {
    const { media, opening, sessions } = this.#parts;
    this.#stopped.abort();
    this.#untilOpen.stop();
    await this.leaveGroups();
    for (const listener of this.#listeners.values()) {
      await listener.recovery;
      await media.close(listener.mediaId, null).catch(() => undefined);
      opening.closeSockets(listener);
      sessions.end(listener, { $case: 'listenerClosed', value: { reason: EndReason.SHUTDOWN } });
    }
    this.#listeners.clear();
  }

  async #open(options: OpeningOptions): Promise<LiveListener> {
    const { opening, sessions, listenerRecords, log } = this.#parts;
    const { settings, configured } = options;
    const { name } = settings;
    if (this.#listeners.has(name) || this.#opening.has(name)) {
      throw new ServiceError('ALREADY_EXISTS', 'LISTENER_EXISTS', `this instance has a listener ${name}`);
    }
    this.#opening.add(name);
    try {
      const listener = await opening.prepare(options);
      // Before the media thread knows it, whose events may come at once.
      this.#listeners.set(name, listener);
      try {
        sessions.record(listener, { $case: 'listener', value: listener.record });
        sessions.publish(listener, { $case: 'listenerOpened', value: { listener: { ...listener.record } } });
        await opening.start(listener);
      } catch (error) {
        this.#listeners.delete(name);
        sessions.end(listener, { $case: 'listenerClosed', value: { reason: EndReason.INTERNAL_ERROR } });
        await opening.undo(listener);
        throw error;
      }
      // With the port that it has, also where the system chose it: its senders know that.
      const { port } = listener.socket;
      if (!configured) listenerRecords.put(name, { listenerId: listener.id, settings: { ...settings, port } });
      if (this.#draining) this.#tellDraining(listener);
      const { address, receiveBufferBytes, formerListenerId } = listener.record;
      log.info(
        {
          listenerId: listener.id,
          name,
          address: `${address?.address ?? ''}:${address?.port ?? 0}`,
          receiveBufferBytes,
          sendBufferBytes: listener.socket.sendBufferBytes,
          configured,
          formerListenerId,
        },
        'listening',
      );
      return listener;
    } finally {
      this.#opening.delete(name);
    }
  }

  #forget(listener: LiveListener): void {
    this.#listeners.delete(listener.name);
    this.#parts.sessions.end(listener, { $case: 'listenerClosed', value: { reason: EndReason.REQUESTED } });
  }

  async #statistics(group: LiveGroup): Promise<srtla.GroupStatistics | undefined> {
    try {
      return await this.#parts.sampler().statistics(group);
    } catch (error) {
      throw apiError(error);
    }
  }

  #tellDraining(listener: LiveListener): void {
    if (!listener.isOpen) return;
    const { media, log } = this.#parts;
    media.command(listener.mediaId, 'setDraining', { draining: this.#draining }).catch((err: unknown) => {
      log.error({ err, listenerId: listener.id }, 'a listener was not told to drain');
    });
  }

  #require(listenerId: string): LiveListener {
    for (const listener of this.#listeners.values()) if (listener.id === listenerId) return listener;
    throw listenerNotFound(listenerId);
  }

  #requireGroup(groupId: string): LiveGroup {
    for (const group of this.groups()) if (group.id === groupId) return group;
    throw groupNotFound(groupId);
  }

  #ofMedia(mediaId: string): LiveListener | undefined {
    for (const listener of this.#listeners.values()) if (listener.mediaId === mediaId) return listener;
    return undefined;
  }
}
