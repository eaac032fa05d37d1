import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { SessionEvents } from '../listeners/session-events.ts';
import type { EventDetail, EventSource } from '../listeners/session-events.ts';
import { uplinkNotFound } from '../uplinks/errors.ts';
import type { UplinkEvent } from '../uplinks/events.ts';
import type { LinkChange, UplinkChange } from '../uplinks/uplink.ts';
import type { Uplinks } from '../uplinks/uplinks.ts';
import type { UplinkView } from '../uplinks/view.ts';
import type { UplinkRecords } from './uplink-records.ts';
import { uplinkEventDetail } from './uplink-events.ts';
import { linkSettings, uplinkMessage, uplinkSettings, uplinkStatistics } from './uplink-messages.ts';

/** Where an uplink comes from. */
export interface UplinkOrigin {
  /** It is in the configuration. */
  readonly configured: boolean;
  /** Its id in the instance before; '' when it is new. */
  readonly formerId: string;
  /** What its links had carried in the instance before, by `linkKey`. */
  readonly dataBytes: ReadonlyMap<string, number>;
}

const BY_CALL: UplinkOrigin = { configured: false, formerId: '', dataBytes: new Map() };

export interface UplinkSessionsParts {
  readonly instanceId: string;
  uplinks(): Uplinks;
  readonly events: Pick<SessionEvents, 'record' | 'publish' | 'end'>;
  readonly records: Pick<UplinkRecords, 'keep' | 'remove'>;
}

/** What the API knows of an uplink beside what it does. */
class UplinkSession implements EventSource {
  /** Public; it changes when the fleet has given the old one up. */
  id: string;
  /** What `Uplinks` knows it by. */
  readonly mediaId: string;
  readonly name: string;
  readonly configured: boolean;
  formerId: string;
  labels: Record<string, string>;
  sequence = 0;
  muted = false;
  /** What the directory was given last. */
  recorded = '';

  constructor(id: string, { name, labels }: srtla.UplinkSettings, { configured, formerId }: UplinkOrigin) {
    this.id = id;
    this.mediaId = id;
    this.name = name;
    this.labels = labels;
    this.configured = configured;
    this.formerId = formerId;
  }
}

/** Uplinks as sessions of the fleet: names, labels, records and events. The work is that of `Uplinks`. */
export class UplinkSessions {
  readonly #parts: UplinkSessionsParts;
  readonly #sessions = new Set<UplinkSession>();
  /** Names of those that are being created. */
  readonly #creating = new Set<string>();

  constructor(parts: UplinkSessionsParts) {
    this.#parts = parts;
  }

  get #uplinks(): Uplinks {
    return this.#parts.uplinks();
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Those that have an encoder: what a drain waits for. */
  get streaming(): number {
    return this.#uplinks.list().filter(({ encoder }) => encoder !== null).length;
  }

  /** `settings`: as `validateUplink` has passed them. @throws ServiceError */
  async create(settings: srtla.UplinkSettings, origin: UplinkOrigin = BY_CALL): Promise<srtla.Uplink> {
    const { name } = settings;
    const isTaken = this.#creating.has(name) || [...this.#sessions].some((session) => session.name === name);
    if (isTaken) throw new ServiceError('ALREADY_EXISTS', 'UPLINK_EXISTS', `this instance has an uplink ${name}`);
    this.#creating.add(name);
    try {
      const view = await this.#uplinks.create(uplinkSettings(settings), origin.dataBytes);
      const session = new UplinkSession(view.uplinkId, settings, origin);
      this.#sessions.add(session);
      return this.#announce(session);
    } finally {
      this.#creating.delete(name);
    }
  }

  /** `change`: as `uplinkChange` has passed it. @throws ServiceError */
  async update(
    uplinkId: string,
    change: UplinkChange,
    labels: Record<string, string> | undefined,
  ): Promise<srtla.Uplink> {
    const session = this.#require(uplinkId);
    await this.#uplinks.update(session.mediaId, change);
    if (labels !== undefined) {
      session.labels = labels;
      this.#publish(session, { $case: 'uplinkUpdated', value: { uplink: this.#record(session) } });
    }
    return this.describe(uplinkId, false);
  }

  async addLink(uplinkId: string, link: srtla.UplinkLinkSettings): Promise<srtla.Uplink> {
    const session = this.#require(uplinkId);
    return this.#message(session, await this.#uplinks.addLink(session.mediaId, linkSettings(link)));
  }

  async updateLink(uplinkId: string, name: string, change: LinkChange): Promise<srtla.Uplink> {
    const session = this.#require(uplinkId);
    return this.#message(session, await this.#uplinks.updateLink(session.mediaId, name, change));
  }

  async removeLink(uplinkId: string, name: string): Promise<srtla.Uplink> {
    const session = this.#require(uplinkId);
    return this.#message(session, await this.#uplinks.removeLink(session.mediaId, name));
  }

  async keyFrames(uplinkId: string, durationMs: number): Promise<void> {
    await this.#uplinks.keyFrames(this.#require(uplinkId).mediaId, durationMs);
  }

  /** @throws ServiceError NOT_FOUND */
  describe(uplinkId: string, withStatistics: boolean): srtla.Uplink {
    const session = this.#require(uplinkId);
    const view = this.#uplinks.describe(session.mediaId);
    const message = this.#message(session, view);
    return withStatistics ? { ...message, statistics: uplinkStatistics(view) } : message;
  }

  /** @throws ServiceError NOT_FOUND, FAILED_PRECONDITION */
  async delete(uplinkId: string): Promise<srtla.Uplink> {
    const session = this.#require(uplinkId);
    if (session.configured) {
      const message = `uplink ${session.name} comes from the configuration`;
      throw new ServiceError('FAILED_PRECONDITION', 'UPLINK_CONFIGURED', message);
    }
    const last = await this.#close(session, srtla.EndReason.REQUESTED);
    this.#parts.records.remove(session.name);
    return last;
  }

  /** The grace period is over, or the process ends: what is stored stays for who comes after. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => this.#close(session, srtla.EndReason.SHUTDOWN)));
  }

  async #close(session: UplinkSession, reason: srtla.EndReason): Promise<srtla.Uplink> {
    const view = this.#uplinks.describe(session.mediaId);
    const message = this.#message(session, view);
    if (reason === srtla.EndReason.SHUTDOWN) this.#keep(session, message, view, Infinity);
    const last = { ...message, statistics: uplinkStatistics(view) };
    if (this.#sessions.delete(session)) {
      this.#parts.events.end(session, { $case: 'uplinkClosed', value: { reason, uplink: last } });
    }
    await this.#uplinks.delete(session.mediaId);
    return last;
  }

  /** A survivor has ended these in the eyes of the fleet. Streams are worth more than their ids: they go on with new ones. */
  renew(ids: ReadonlySet<string>, newId: () => string): void {
    for (const session of this.#sessions) {
      if (!ids.has(session.id)) continue;
      session.formerId = session.id;
      session.id = newId();
      session.sequence = 0;
      session.recorded = '';
      this.#announce(session);
    }
  }

  samples(): srtla.UplinkSample[] {
    return [...this.#sessions].map(({ id, mediaId, name }) => ({
      uplinkId: id,
      name,
      statistics: uplinkStatistics(this.#uplinks.describe(mediaId)),
    }));
  }

  /** What happens to uplinks. What happens before they are announced is in their first record. */
  onEvent(event: UplinkEvent): void {
    const session = this.#ofMedia(event.uplinkId);
    if (session === undefined) return;
    const uplink = this.#record(session);
    const detail = uplinkEventDetail(event, uplink);
    if (detail !== undefined) this.#publish(session, detail);
  }

  /** Once a second. Events come before what they tell of can be seen: the media thread is asked after them. */
  onStatistics({ uplinkId }: UplinkView): void {
    const session = this.#ofMedia(uplinkId);
    if (session !== undefined) this.#record(session);
  }

  #announce(session: UplinkSession): srtla.Uplink {
    const uplink = this.#record(session);
    this.#publish(session, { $case: 'uplinkOpened', value: { uplink } });
    return uplink;
  }

  /** Records what has changed, if anything has. */
  #record(session: UplinkSession): srtla.Uplink {
    const view = this.#uplinks.describe(session.mediaId);
    const value = this.#message(session, view);
    this.#keep(session, value, view, performance.now());
    const text = JSON.stringify(value);
    if (text !== session.recorded) this.#parts.events.record(session, { $case: 'uplink', value });
    session.recorded = text;
    return value;
  }

  #keep({ configured }: UplinkSession, uplink: srtla.Uplink, { links }: UplinkView, nowMs: number): void {
    this.#parts.records.keep({ uplink, links, configured }, nowMs);
  }

  #publish(session: UplinkSession, detail: EventDetail): void {
    this.#parts.events.publish(session, detail);
  }

  #message(session: UplinkSession, view: UplinkView): srtla.Uplink {
    return uplinkMessage(view, session, this.#parts.instanceId);
  }

  /** @throws ServiceError NOT_FOUND */
  #require(uplinkId: string): UplinkSession {
    for (const session of this.#sessions) if (session.id === uplinkId) return session;
    throw uplinkNotFound(uplinkId);
  }

  #ofMedia(mediaId: string): UplinkSession | undefined {
    for (const session of this.#sessions) if (session.mediaId === mediaId) return session;
    return undefined;
  }
}
