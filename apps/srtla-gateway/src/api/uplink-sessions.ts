import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { SessionEvents } from '../listeners/session-events.ts';
import type { EventDetail, EventSource } from '../listeners/session-events.ts';
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
  readonly id: string;
  readonly name: string;
  readonly origin: UplinkOrigin;
  labels: Record<string, string>;
  sequence = 0;
  muted = false;
  /** What the directory was given last. */
  recorded = '';

  constructor(id: string, { name, labels }: srtla.UplinkSettings, origin: UplinkOrigin) {
    this.id = id;
    this.name = name;
    this.labels = labels;
    this.origin = origin;
  }
}

/** Uplinks as sessions of the fleet: names, labels, records and events. The work is that of `Uplinks`. */
export class UplinkSessions {
  readonly #parts: UplinkSessionsParts;
  /** By id. */
  readonly #sessions = new Map<string, UplinkSession>();
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

  /** `settings`: as `validateUplink` has passed them. @throws ServiceError */
  async create(settings: srtla.UplinkSettings, origin: UplinkOrigin = BY_CALL): Promise<srtla.Uplink> {
    const { name } = settings;
    const isTaken = this.#creating.has(name) || [...this.#sessions.values()].some((session) => session.name === name);
    if (isTaken) throw new ServiceError('ALREADY_EXISTS', 'UPLINK_EXISTS', `this instance has an uplink ${name}`);
    this.#creating.add(name);
    try {
      const view = await withPrefix('settings.', () =>
        this.#uplinks.create(uplinkSettings(settings), origin.dataBytes),
      );
      const session = new UplinkSession(view.uplinkId, settings, origin);
      this.#sessions.set(session.id, session);
      const uplink = this.#record(session);
      this.#publish(session, { $case: 'uplinkOpened', value: { uplink } });
      return uplink;
    } finally {
      this.#creating.delete(name);
    }
  }

  /** @throws ServiceError */
  async update(
    uplinkId: string,
    change: UplinkChange,
    labels: Record<string, string> | undefined,
  ): Promise<srtla.Uplink> {
    await withPrefix('settings.', () => this.#uplinks.update(uplinkId, change));
    const session = this.#sessions.get(uplinkId);
    if (session !== undefined && labels !== undefined) {
      session.labels = labels;
      this.#publish(session, { $case: 'uplinkUpdated', value: { uplink: this.#record(session) } });
    }
    return this.describe(uplinkId, false);
  }

  async addLink(uplinkId: string, link: srtla.UplinkLinkSettings): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks.addLink(uplinkId, linkSettings(link)));
  }

  async updateLink(uplinkId: string, name: string, change: LinkChange): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks.updateLink(uplinkId, name, change));
  }

  async removeLink(uplinkId: string, name: string): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks.removeLink(uplinkId, name));
  }

  async keyFrames(uplinkId: string, durationMs: number): Promise<void> {
    await this.#uplinks.keyFrames(uplinkId, durationMs);
  }

  /** @throws ServiceError NOT_FOUND */
  describe(uplinkId: string, withStatistics: boolean): srtla.Uplink {
    const view = this.#uplinks.describe(uplinkId);
    const message = this.#message(view);
    return withStatistics ? { ...message, statistics: uplinkStatistics(view) } : message;
  }

  /** @throws ServiceError NOT_FOUND, FAILED_PRECONDITION */
  async delete(uplinkId: string): Promise<srtla.Uplink> {
    const session = this.#sessions.get(uplinkId);
    if (session?.origin.configured === true) {
      const message = `uplink ${session.name} comes from the configuration`;
      throw new ServiceError('FAILED_PRECONDITION', 'UPLINK_CONFIGURED', message);
    }
    const last = await this.#close(uplinkId, srtla.EndReason.REQUESTED);
    if (session !== undefined) this.#parts.records.remove(session.name);
    return last;
  }

  /** The grace period is over: what is stored stays for the next instance. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((uplinkId) => this.#close(uplinkId, srtla.EndReason.SHUTDOWN)));
  }

  async #close(uplinkId: string, reason: srtla.EndReason): Promise<srtla.Uplink> {
    const view = this.#uplinks.describe(uplinkId);
    const message = this.#message(view);
    if (reason === srtla.EndReason.SHUTDOWN) this.#parts.records.keep(message, view, Infinity);
    const last = { ...message, statistics: uplinkStatistics(view) };
    this.#end(uplinkId, reason, last);
    await this.#uplinks.delete(uplinkId);
    return last;
  }

  /** A survivor has ended these in the eyes of the fleet: they are over. */
  async closeOrphans(ids: ReadonlySet<string>): Promise<void> {
    for (const [uplinkId, session] of [...this.#sessions]) {
      if (!ids.has(uplinkId)) continue;
      session.muted = true;
      this.#sessions.delete(uplinkId);
      this.#parts.records.remove(session.name);
      await this.#uplinks.delete(uplinkId);
    }
  }

  samples(): srtla.UplinkSample[] {
    return [...this.#sessions].map(([uplinkId, { name }]) => ({
      uplinkId,
      name,
      statistics: uplinkStatistics(this.#uplinks.describe(uplinkId)),
    }));
  }

  /** What happens to uplinks. What happens before they are announced is in their first record. */
  onEvent(event: UplinkEvent): void {
    const session = this.#sessions.get(event.uplinkId);
    if (session === undefined) return;
    const uplink = this.#record(session);
    const detail = uplinkEventDetail(event, uplink);
    if (detail !== undefined) this.#publish(session, detail);
  }

  /** Once a second. Events come before what they tell of can be seen: the media thread is asked after them. */
  onStatistics({ uplinkId }: UplinkView): void {
    const session = this.#sessions.get(uplinkId);
    if (session !== undefined) this.#record(session);
  }

  #end(uplinkId: string, reason: srtla.EndReason, uplink: srtla.Uplink): void {
    const session = this.#sessions.get(uplinkId);
    if (session === undefined) return;
    this.#sessions.delete(uplinkId);
    this.#parts.events.end(session, { $case: 'uplinkClosed', value: { reason, uplink } });
  }

  /** Records what has changed, if anything has. */
  #record(session: UplinkSession): srtla.Uplink {
    const view = this.#uplinks.describe(session.id);
    const value = this.#message(view);
    this.#parts.records.keep(value, view, performance.now());
    const text = JSON.stringify(value);
    if (text !== session.recorded) this.#parts.events.record(session, { $case: 'uplink', value });
    session.recorded = text;
    return value;
  }

  #publish(session: UplinkSession, detail: EventDetail): void {
    this.#parts.events.publish(session, detail);
  }

  #message(view: UplinkView): srtla.Uplink {
    const session = this.#sessions.get(view.uplinkId);
    const { name = '', labels = {}, origin = BY_CALL } = session ?? {};
    return uplinkMessage(view, { name, labels, instanceId: this.#parts.instanceId, ...origin });
  }
}

/** Violations of settings, by the names that they have in the request. */
async function withPrefix<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ServiceError) || error.fieldViolations === undefined) throw error;
    const fieldViolations = error.fieldViolations.map(({ field, description }) => ({
      field: prefix + field,
      description,
    }));
    const message = fieldViolations.map(({ field, description }) => `${field}: ${description}`).join('; ');
    throw new ServiceError(error.code, error.reason, message, { fieldViolations });
  }
}
