import type { Directory, Events, Logger } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';

export type EventDetail = NonNullable<srtla.SrtlaEvent['detail']>;

/** A session that events are told of. */
export interface EventSource {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last event. */
  sequence: number;
  /** Nothing more is to be published: it has ended, or a survivor has ended it in the eyes of the fleet. */
  muted: boolean;
}

/** What listeners, groups and uplinks are to the fleet: a record in the directory, and events, numbered without gaps for each. */
export class SessionEvents {
  readonly #instanceId: string;
  readonly #directory: Directory<srtla.SrtlaSession>;
  readonly #events: Events<srtla.SrtlaSession, srtla.SrtlaEvent>;
  readonly #log: Logger;

  constructor(
    instanceId: string,
    directory: Directory<srtla.SrtlaSession>,
    events: Events<srtla.SrtlaSession, srtla.SrtlaEvent>,
    log: Logger,
  ) {
    this.#instanceId = instanceId;
    this.#directory = directory;
    this.#events = events;
    this.#log = log;
  }

  /**
   * Records a session, or what has changed of it. One that the directory does not take, because too much waits for the bus, lives on
   * unseen: a stream is worth more than its place in a list.
   */
  record(source: EventSource, session: NonNullable<srtla.SrtlaSession['session']>): void {
    if (source.muted) return;
    try {
      this.#directory.put(source.id, { session });
    } catch (err) {
      source.muted = true;
      this.#log.warn({ err, sessionId: source.id }, 'the directory does not take a session: it will not be seen');
    }
  }

  publish(source: EventSource, detail: EventDetail): void {
    this.#publish(source, detail, false);
  }

  /** The last event; the record goes. */
  end(source: EventSource, detail: EventDetail): void {
    this.#publish(source, detail, true);
    source.muted = true;
    this.#directory.remove(source.id);
  }

  #publish(source: EventSource, detail: EventDetail, final: boolean): void {
    if (source.muted) return;
    source.sequence += 1;
    const event: srtla.SrtlaEvent = {
      eventId: `${source.id}.${source.sequence}`,
      sessionId: source.id,
      eventTime: new Date(),
      sequence: source.sequence,
      instanceId: this.#instanceId,
      labels: source.labels,
      detail,
    };
    this.#events.publish(source.id, event, { final });
  }
}
