import { srtla } from '@mediaplane/proto';
import type { GroupEvents } from './group-events.ts';
import type { LiveGroup } from './live-group.ts';
import type { LiveListener } from './live-listener.ts';
import type { Opening } from './opening.ts';
import type { ListenerMedia } from './upstreams.ts';

const { EndReason } = srtla;

export interface ClosingParts {
  readonly media: ListenerMedia;
  readonly opening: Pick<Opening, 'closeSockets'>;
  readonly groupEvents: Pick<GroupEvents, 'end' | 'endForGood'>;
  /** A listener is over: nothing of it is handed on any more. */
  closeRelays(listener: LiveListener): Promise<void>;
}

/** Ends groups and listeners that somebody wants ended, both ends of every SRT session told. */
export class Closing {
  readonly #parts: ClosingParts;

  constructor(parts: ClosingParts) {
    this.#parts = parts;
  }

  async close(listener: LiveListener): Promise<void> {
    const { media, opening, groupEvents, closeRelays } = this.#parts;
    await closeRelays(listener);
    for (const group of [...listener.all()]) {
      group.asked = { reason: EndReason.LISTENER_ENDED, text: '' };
      await this.end(group);
    }
    await media.close(listener.mediaId, null).catch(() => undefined);
    listener.isOpen = false;
    // One that registered while the others were ended.
    for (const group of [...listener.all()]) groupEvents.end(group, EndReason.LISTENER_ENDED, false);
    opening.closeSockets(listener);
  }

  /** By its media thread, which tells both ends of the SRT session; by the next one, where that has died. */
  async end(group: LiveGroup): Promise<void> {
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
}
