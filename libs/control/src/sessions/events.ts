import type { BusStream } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { Codec } from '../codec.ts';
import type { ControlCounters } from '../counters.ts';
import { eventSubject } from '../names.ts';
import type { SessionDirectory } from './directory.ts';
import { EVENT_FINAL, EVENT_TIME } from './event-headers.ts';
import type { DirectoryEntry, Events, WatchItem, WatchOptions } from './sessions.ts';
import { watchEvents } from './watch.ts';
import type { WriteBehind } from './write-behind.ts';

export interface EventParts<Rec, Ev> {
  readonly service: string;
  readonly clock: Clock;
  readonly stream: BusStream;
  readonly codec: Codec<Ev>;
  readonly directory: SessionDirectory<Rec>;
  readonly writer: WriteBehind;
  readonly counters: ControlCounters;
  readonly maxWatchLag: number;
  /** Aborted when the control plane stops. */
  readonly stopped: AbortSignal;
}

export class SessionEvents<Rec, Ev> implements Events<Rec, Ev> {
  readonly #parts: EventParts<Rec, Ev>;

  constructor(parts: EventParts<Rec, Ev>) {
    this.#parts = parts;
  }

  publish(sessionId: string, event: Ev, options: { readonly final?: boolean } = {}): void {
    this.#parts.writer.publish(sessionId, this.#parts.codec.encode(event).finish(), options.final === true);
  }

  watch(options: WatchOptions<Rec, Ev>): AsyncIterable<WatchItem<Rec, Ev>> {
    const signal = AbortSignal.any([options.signal, this.#parts.stopped]);
    return watchEvents(this.#parts, { ...options, signal });
  }

  /** The final event of a session whose owner is gone, stored when this resolves; once, however many survivors try. */
  async publishLost(lost: DirectoryEntry<Rec>, event: Ev): Promise<void> {
    const { service, stream, codec, clock } = this.#parts;
    const headers = { [EVENT_TIME]: String(Math.round(clock.unixMs())), [EVENT_FINAL]: '1' };
    const messageId = `lost.${lost.sessionId}`;
    await stream.publish(eventSubject(service, lost.sessionId), codec.encode(event).finish(), { headers, messageId });
  }
}
