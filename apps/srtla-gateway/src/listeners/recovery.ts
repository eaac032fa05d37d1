import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@mediaplane/control';
import type { LiveListener } from './live-listener.ts';
import type { Opening } from './opening.ts';
import type { Upstreams } from './upstreams.ts';

const RETRY_MS = 500;

export interface RecoveryParts {
  readonly opening: Pick<Opening, 'start'>;
  readonly upstreams: Pick<Upstreams, 'detach'>;
  readonly log: Logger;
  /** The end of the process. */
  readonly signal: AbortSignal;
  onOpen(listener: LiveListener): void;
}

/** Opens listeners again whose media session was lost: on another thread, with the same socket and the groups as they are. */
export class Recovery {
  readonly #parts: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** `listener.recovery` resolves when it is open, or is to be closed. */
  begin(listener: LiveListener): void {
    const recovery = (listener.recovery ?? Promise.resolve())
      .then(() => this.#recover(listener))
      .finally(() => {
        if (listener.recovery === recovery) listener.recovery = undefined;
      });
    listener.recovery = recovery;
  }

  async #recover(listener: LiveListener): Promise<void> {
    const { opening, log, signal, onOpen } = this.#parts;
    while (!signal.aborted && listener.closing === undefined) {
      // A thread that dies while it opens the listener has announced some of them.
      await this.#takeBack(listener);
      try {
        await opening.start(listener);
        onOpen(listener);
        log.info({ listenerId: listener.id, groups: listener.groups.size }, 'listener goes on');
        return;
      } catch (err) {
        log.warn({ err, listenerId: listener.id }, 'listener not opened again yet');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Groups that a media thread has announced and lost wait for the next one. */
  async #takeBack(listener: LiveListener): Promise<void> {
    const { upstreams } = this.#parts;
    const groups = [...listener.groups.values()];
    listener.groups.clear();
    for (const group of groups) {
      group.serial = -1;
      listener.resuming.set(group.key, group);
    }
    for (const group of groups) await group.turns.run(() => upstreams.detach(group));
  }
}
