import type { UdpSocketHandle } from '@mediaplane/net';
import type { srtla } from '@mediaplane/proto';
import type { LiveGroup } from './live-group.ts';
import type { EventSource } from './session-events.ts';

/** Ids of groups that were kicked and are remembered. */
const MAX_ENDED = 1000;

/** A listener of this instance, from open to closed. */
export class LiveListener implements EventSource {
  /** Another one when a survivor has ended this one in the eyes of the fleet. */
  id: string;
  /** Of its media session. */
  readonly mediaId: string;
  readonly socket: UdpSocketHandle;
  /** To which other instances hand on what links of its groups send to them. */
  relaySocket: UdpSocketHandle | undefined;
  /** As the API shows it; its members change, what they point to does not. */
  readonly record: srtla.Listener;
  readonly settings: srtla.ListenerSettings;
  /** By serial. */
  readonly groups = new Map<number, LiveGroup>();
  /** By key: groups that go on, and that its media thread has not announced yet. */
  readonly resuming = new Map<string, LiveGroup>();
  /** Keys of groups that were kicked, the latest last. */
  readonly endedKeys: string[] = [];
  /** Its media session is open. */
  isOpen = false;
  sequence = 0;
  muted = false;
  /** While its media session, which was lost, is opened again. */
  recovery: Promise<void> | undefined;
  /** Set when closing begins. */
  closing: Promise<void> | undefined;

  constructor(socket: UdpSocketHandle, record: srtla.Listener, settings: srtla.ListenerSettings) {
    this.id = record.listenerId;
    this.mediaId = record.listenerId;
    this.socket = socket;
    this.record = record;
    this.settings = settings;
  }

  get name(): string {
    return this.settings.name;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.settings.labels;
  }

  /** `key`: what its sender shows. */
  hasGroup(key: string): boolean {
    if (this.resuming.has(key)) return true;
    for (const group of this.groups.values()) if (group.key === key) return true;
    return false;
  }

  /** Groups that its media thread has announced, and those that it has not yet. */
  *all(): Generator<LiveGroup> {
    yield* this.groups.values();
    yield* this.resuming.values();
  }

  rememberEnded(key: string): void {
    this.endedKeys.push(key);
    if (this.endedKeys.length > MAX_ENDED) this.endedKeys.shift();
  }
}
