import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@mediaplane/control';
import type { Accepted, Ingest } from '../ingest/ingest.ts';
import type { LiveGroup } from './live-group.ts';

const RETRY_MS = 1000;
/** How often the name of a server is asked for again while no encoder has been let in. */
const SEEK_MS = 5000;

export interface FixedServersParts {
  readonly ingest: Pick<Ingest, 'fixed'>;
  readonly log: Logger;
  connect(group: LiveGroup, verdict: Accepted): Promise<void>;
}

/** Where one server gets all streams of a listener: the way to it is there before an encoder calls, wherever it has gone meanwhile. */
export class FixedServers {
  readonly #parts: FixedServersParts;

  constructor(parts: FixedServersParts) {
    this.#parts = parts;
  }

  /** Begins to look for the group's server, in place of a search that is under way. */
  seek(group: LiveGroup): void {
    if (group.listener.settings.ingest?.policy?.$case === 'fixed') void this.#search(group);
  }

  /** Until a session stands: the server's name may be known in a moment, and may say something else than before. */
  async #search(group: LiveGroup): Promise<void> {
    const { ingest, log, connect } = this.#parts;
    group.searches += 1;
    const search = group.searches;
    for (let failures = 0; !group.isOver && group.stream === null && group.searches === search;) {
      let waitMs = SEEK_MS;
      try {
        const verdict = await ingest.fixed(group.listener.record, group.upstream?.address);
        await group.turns.run(async () => {
          if (verdict !== undefined && group.stream === null) await connect(group, verdict);
        });
        failures = 0;
        if (verdict === undefined || isIP(verdict.server.host) !== 0) return;
      } catch (err) {
        failures += 1;
        waitMs = RETRY_MS;
        if (failures === 1 && !group.isOver) log.warn({ err, groupId: group.id }, 'no way to the SRT server yet');
      }
      await sleep(waitMs, undefined, { ref: false });
    }
  }
}
