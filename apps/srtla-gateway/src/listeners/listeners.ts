import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import type { UdpSockets } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import type { ForeignGroupEvent, ListenerEvent } from '../media/listener-contract.ts';
import type { TokenKeys } from '../keys/token-keys.ts';
import type { NamedRecords } from '../records/named-records.ts';
import { apiError, groupNotFound, listenerNotFound } from './errors.ts';
import type { GroupEvents } from './group-events.ts';
import type { GroupRecords } from './group-records.ts';
import type { LiveGroup } from './live-group.ts';
import type { LiveListener } from './live-listener.ts';
import type { Opening, OpeningOptions } from './opening.ts';
import { Recovery } from './recovery.ts';
import type { Sampler } from './sampler.ts';
import type { SessionEvents } from './session-events.ts';
import type { ListenerMedia, Upstreams } from './upstreams.ts';

const { EndReason } = srtla;
const RETRY_MS = 500;

export interface ListenersParts {
  readonly opening: Opening;
  readonly groupEvents: GroupEvents;
  readonly upstreams: Upstreams;
  readonly sessions: SessionEvents;
  readonly groupRecords: GroupRecords;
  readonly listenerRecords: NamedRecords<'listener'>;
  readonly media: ListenerMedia;
  readonly sockets: UdpSockets;
  readonly sampler: () => Sampler;
  /** A link wants into a group that another instance began. */
  onForeignLink(listener: LiveListener, event: ForeignGroupEvent): void;
  /** A listener is over: nothing of it is handed on any more. */
  closeRelays(listener: LiveListener): Promise<void>;
  readonly log: Logger;
}

/** All listeners of this instance, with their groups. */
export class Listeners {
  readonly #parts: ListenersParts;
  /** By name. */
  readonly #listeners = new Map<string, LiveListener>();
  /** Names of those that are being opened. */
  readonly #opening = new Set<string>();
  /** By name: those whose port, or interface, is not there yet. */
  readonly #waiting = new Map<string, OpeningOptions>();
  readonly #stopped = new AbortController();
  readonly #recovery: Recovery;
  #draining = false;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
    const { opening, upstreams, log } = parts;
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
    return [...this.#waiting.keys()];
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
      else await this.#persist({ settings, configured: false, formerId });
    }
    for (const settings of configured) await this.#persist({ settings, configured: true, formerId: '' });
    void this.#parts.groupRecords.sweep(Date.now());
  }

  /** In place of one of that name that waits for its port, unless the configuration names that. @throws ServiceError */
  async create(settings: srtla.ListenerSettings): Promise<srtla.Listener> {
    const { name } = settings;
    if (this.#waiting.get(name)?.configured === true) {
      const message = `the configuration has a listener ${name}, which waits for its port`;
      throw new ServiceError('ALREADY_EXISTS', 'LISTENER_EXISTS', message);
    }
    try {
      const listener = await this.#open({ settings, configured: false, formerId: '' });
      this.#waiting.delete(name);
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
    listener.closing ??= this.#close(listener);
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
    await this.#end(group);
    return { ...group.record, statistics };
  }

  onMediaEvent(mediaId: string, event: ListenerEvent): void {
    const listener = this.#ofMedia(mediaId);
    if (listener === undefined) return;
    if (event.type === 'foreign-group') this.#parts.onForeignLink(listener, event);
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

  /** A survivor has ended these in the eyes of the fleet. Streams are worth more than their ids: they go on with new ones. */
  renew(sessionIds: ReadonlySet<string>, newId: (kind: 'listener' | 'group') => string): void {
    const { sessions } = this.#parts;
    for (const listener of this.#listeners.values()) {
      const { record } = listener;
      if (sessionIds.has(listener.id)) {
        record.formerListenerId = listener.id;
        record.listenerId = listener.id = newId('listener');
        listener.sequence = 0;
        sessions.record(listener, { $case: 'listener', value: record });
        sessions.publish(listener, { $case: 'listenerOpened', value: { listener: { ...record } } });
      }
      for (const group of listener.groups.values()) {
        group.record.listenerId = listener.id;
        if (!sessionIds.has(group.id)) continue;
        group.record.formerGroupId = group.id;
        group.record.groupId = group.id = newId('group');
        group.sequence = 0;
        sessions.record(group, { $case: 'group', value: group.record });
        sessions.publish(group, { $case: 'groupUp', value: { group: { ...group.record }, resumed: true } });
      }
    }
  }

  /** The process ends. What is stored stays for the next one. */
  async stop(): Promise<void> {
    const { media, opening, sessions } = this.#parts;
    this.#stopped.abort();
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

  /** At the start: a port that another process still holds comes free. */
  async #persist(options: OpeningOptions): Promise<void> {
    const { log } = this.#parts;
    const { name } = options.settings;
    try {
      await this.#open(options);
    } catch (err) {
      log.error({ err, name }, 'a listener cannot be opened: it is tried until it can');
      void this.#openLater(options);
    }
  }

  async #openLater(options: OpeningOptions): Promise<void> {
    const { signal } = this.#stopped;
    const { name } = options.settings;
    this.#waiting.set(name, options);
    for (;;) {
      await sleep(RETRY_MS, undefined, { ref: false });
      if (signal.aborted || this.#waiting.get(name) !== options) return;
      try {
        await this.#open(options);
        this.#waiting.delete(name);
        return;
      } catch {
        // The first failure has been told.
      }
    }
  }

  async #close(listener: LiveListener): Promise<void> {
    const { media, opening, sessions, closeRelays } = this.#parts;
    await closeRelays(listener);
    for (const group of [...listener.all()]) {
      group.asked = { reason: EndReason.LISTENER_ENDED, text: '' };
      await this.#end(group);
    }
    await media.close(listener.mediaId, null).catch(() => undefined);
    listener.isOpen = false;
    // One that registered while the others were ended.
    for (const group of [...listener.all()]) this.#parts.groupEvents.end(group, EndReason.LISTENER_ENDED, false);
    opening.closeSockets(listener);
    this.#listeners.delete(listener.name);
    sessions.end(listener, { $case: 'listenerClosed', value: { reason: EndReason.REQUESTED } });
  }

  /** By its media thread, which tells both ends of the SRT session; by the next one, where that has died. */
  async #end(group: LiveGroup): Promise<void> {
    const { media, groupEvents } = this.#parts;
    const { listener } = group;
    for (let isTold = false; !isTold && !group.isOver;) {
      await listener.recovery;
      isTold = await media
        .command(listener.mediaId, 'kickGroup', { group: group.serial })
        .catch(() => listener.recovery === undefined);
    }
    // Still there: nobody could be told.
    if (!group.isOver) groupEvents.endForGood(group, group.asked?.reason ?? EndReason.INTERNAL_ERROR);
    await group.ended.promise;
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
