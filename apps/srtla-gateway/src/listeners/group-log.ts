import type { Logger } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';
import type { IngestEnd, RefusedBy } from '../domain/receiver/ingest-state.ts';
import type { LiveGroup } from './live-group.ts';
import { END_REASON_NAMES } from './reasons.ts';

/** What the log says of groups and their SRT sessions: a line for each thing that happens, never a stream id that was not redacted. */
export class GroupLog {
  readonly #log: Logger;
  /** Whose SRT server does not answer: said once, until one does. */
  readonly #unanswered = new WeakSet<LiveGroup>();

  constructor(log: Logger) {
    this.#log = log;
  }

  streamStands(group: LiveGroup): void {
    this.#unanswered.delete(group);
    const { streamName, streamIdRedacted, server, upstream, latencyMs } = group.record;
    this.#log.info(
      { ...nameOf(group), stream: streamName, streamId: streamIdRedacted, server, upstream, latencyMs },
      'SRT session stands',
    );
  }

  streamEnded(group: LiveGroup, by: IngestEnd): void {
    const { streamName, streamTime } = group.record;
    const seconds = streamTime === undefined ? undefined : Math.round((Date.now() - streamTime.getTime()) / 1000);
    this.#log.info({ ...nameOf(group), stream: streamName, by, seconds }, 'SRT session ended');
  }

  refused(group: LiveGroup, { rejection, text, streamIdRedacted }: srtla.IngestRefused, by: RefusedBy): void {
    const server = by === 'server' ? group.record.server : undefined;
    this.#log.info({ ...nameOf(group), rejection, by, text, server, streamId: streamIdRedacted }, 'encoder refused');
  }

  unanswered(group: LiveGroup): void {
    if (this.#unanswered.has(group)) return;
    this.#unanswered.add(group);
    const { server, upstream } = group.record;
    this.#log.warn({ ...nameOf(group), server, upstream }, 'the SRT server does not answer an encoder');
  }

  moved(group: LiveGroup, { former, cause }: NonNullable<LiveGroup['moved']>): void {
    this.#log.warn({ groupId: group.id, former, cause }, 'group moved: its SRT session is ended');
  }

  /** Of those that have come to nothing, and that nobody asked to end, there may be any number. */
  ended(group: LiveGroup, reason: srtla.EndReason, { streamName, streamTime, statistics }: srtla.Group): void {
    if (streamTime === undefined && group.asked === undefined) return;
    this.#log.info(
      {
        ...nameOf(group),
        stream: streamName,
        reason: END_REASON_NAMES[reason],
        text: group.asked?.text,
        packets: statistics?.packets,
        bytes: statistics?.bytes,
        nakPackets: statistics?.nakPackets,
      },
      'group ended',
    );
  }
}

function nameOf({ id, listener }: LiveGroup): { groupId: string; listener: string } {
  return { groupId: id, listener: listener.name };
}
