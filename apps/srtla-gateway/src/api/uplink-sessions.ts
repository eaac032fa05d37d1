import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { SessionEvents } from '../listeners/session-events.ts';
import type { EventDetail, EventSource } from '../listeners/session-events.ts';
import type { UplinkEvent } from '../uplinks/events.ts';
import type { LinkChange, UplinkChange } from '../uplinks/uplink.ts';
import type { Uplinks } from '../uplinks/uplinks.ts';
import type { UplinkView } from '../uplinks/view.ts';
import { uplinkEventDetail } from './uplink-events.ts';
import { linkSettings, uplinkMessage, uplinkSettings, uplinkStatistics } from './uplink-messages.ts';

/** What the API knows of an uplink beside what it does. */
class UplinkSession implements EventSource {
  readonly id: string;
  readonly name: string;
  labels: Record<string, string>;
  sequence = 0;
  muted = false;
  /** What the directory was given last. */
  recorded = '';

  constructor(id: string, name: string, labels: Record<string, string>) {
    this.id = id;
    this.name = name;
    this.labels = labels;
  }
}

/** Uplinks as sessions of the fleet: names, labels, records and events. The work is that of `Uplinks`. */
export class UplinkSessions {
  readonly #instanceId: string;
  readonly #uplinks: () => Uplinks;
  readonly #events: Pick<SessionEvents, 'record' | 'publish' | 'end'>;
  /** By id. */
  readonly #sessions = new Map<string, UplinkSession>();
  /** Names of those that are being created. */
  readonly #creating = new Set<string>();

  constructor(instanceId: string, uplinks: () => Uplinks, events: Pick<SessionEvents, 'record' | 'publish' | 'end'>) {
    this.#instanceId = instanceId;
    this.#uplinks = uplinks;
    this.#events = events;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** `settings`: as `validateUplink` has passed them. @throws ServiceError */
  async create(settings: srtla.UplinkSettings): Promise<srtla.Uplink> {
    const { name, labels } = settings;
    const isTaken = this.#creating.has(name) || [...this.#sessions.values()].some((session) => session.name === name);
    if (isTaken) throw new ServiceError('ALREADY_EXISTS', 'UPLINK_EXISTS', `this instance has an uplink ${name}`);
    this.#creating.add(name);
    try {
      const view = await withPrefix('settings.', () => this.#uplinks().create(uplinkSettings(settings)));
      const session = new UplinkSession(view.uplinkId, name, labels);
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
    await withPrefix('settings.', () => this.#uplinks().update(uplinkId, change));
    const session = this.#sessions.get(uplinkId);
    if (session !== undefined && labels !== undefined) {
      session.labels = labels;
      this.#publish(session, { $case: 'uplinkUpdated', value: { uplink: this.#record(session) } });
    }
    return this.describe(uplinkId, false);
  }

  async addLink(uplinkId: string, link: srtla.UplinkLinkSettings): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks().addLink(uplinkId, linkSettings(link)));
  }

  async updateLink(uplinkId: string, name: string, change: LinkChange): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks().updateLink(uplinkId, name, change));
  }

  async removeLink(uplinkId: string, name: string): Promise<srtla.Uplink> {
    return this.#message(await this.#uplinks().removeLink(uplinkId, name));
  }

  async keyFrames(uplinkId: string, durationMs: number): Promise<void> {
    await this.#uplinks().keyFrames(uplinkId, durationMs);
  }

  /** @throws ServiceError NOT_FOUND */
  describe(uplinkId: string, withStatistics: boolean): srtla.Uplink {
    const view = this.#uplinks().describe(uplinkId);
    const message = this.#message(view);
    return withStatistics ? { ...message, statistics: uplinkStatistics(view) } : message;
  }

  /** @throws ServiceError NOT_FOUND */
  delete(uplinkId: string): Promise<srtla.Uplink> {
    return this.#close(uplinkId, srtla.EndReason.REQUESTED);
  }

  /** The grace period is over. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((uplinkId) => this.#close(uplinkId, srtla.EndReason.SHUTDOWN)));
  }

  async #close(uplinkId: string, reason: srtla.EndReason): Promise<srtla.Uplink> {
    const view = this.#uplinks().describe(uplinkId);
    const last = { ...this.#message(view), statistics: uplinkStatistics(view) };
    this.#end(uplinkId, reason, last);
    await this.#uplinks().delete(uplinkId);
    return last;
  }

  /** A survivor has ended these in the eyes of the fleet: they are over. */
  async closeOrphans(ids: ReadonlySet<string>): Promise<void> {
    for (const [uplinkId, session] of [...this.#sessions]) {
      if (!ids.has(uplinkId)) continue;
      session.muted = true;
      this.#sessions.delete(uplinkId);
      await this.#uplinks().delete(uplinkId);
    }
  }

  samples(): srtla.UplinkSample[] {
    return [...this.#sessions.keys()].map((uplinkId) => ({
      uplinkId,
      statistics: uplinkStatistics(this.#uplinks().describe(uplinkId)),
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
    this.#events.end(session, { $case: 'uplinkClosed', value: { reason, uplink } });
  }

  /** Records what has changed, if anything has. */
  #record(session: UplinkSession): srtla.Uplink {
    const value = this.#message(this.#uplinks().describe(session.id));
    const text = JSON.stringify(value);
    if (text !== session.recorded) this.#events.record(session, { $case: 'uplink', value });
    session.recorded = text;
    return value;
  }

  #publish(session: UplinkSession, detail: EventDetail): void {
    this.#events.publish(session, detail);
  }

  #message(view: UplinkView): srtla.Uplink {
    const session = this.#sessions.get(view.uplinkId);
    const instanceId = this.#instanceId;
    return uplinkMessage(view, { name: session?.name ?? '', labels: session?.labels ?? {}, instanceId });
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
