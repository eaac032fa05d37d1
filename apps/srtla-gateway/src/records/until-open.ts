import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@mediaplane/control';

const RETRY_MS = 500;

/** Opens what is there from the start. What cannot be opened yet, for instance because another process still has its port, is tried until it can. */
export class UntilOpen<W> {
  readonly #kind: string;
  readonly #open: (wanted: W) => Promise<unknown>;
  readonly #log: Logger;
  /** By name. */
  readonly #waiting = new Map<string, W>();

  /** `kind`: what it is, for the log. */
  constructor(kind: string, open: (wanted: W) => Promise<unknown>, log: Logger) {
    this.#kind = kind;
    this.#open = open;
    this.#log = log;
  }

  /** Names of those that are not open yet. */
  get names(): string[] {
    return [...this.#waiting.keys()];
  }

  /** What is not open yet by that name. */
  get(name: string): W | undefined {
    return this.#waiting.get(name);
  }

  /** Resolves after the first try. */
  async begin(name: string, wanted: W): Promise<void> {
    try {
      await this.#open(wanted);
    } catch (err) {
      this.#log.error({ err, name }, `${this.#kind} cannot be opened: it is tried until it can`);
      this.#waiting.set(name, wanted);
      void this.#goOn(name, wanted);
    }
  }

  /** It is not wanted any more. */
  forget(name: string): void {
    this.#waiting.delete(name);
  }

  stop(): void {
    this.#waiting.clear();
  }

  async #goOn(name: string, wanted: W): Promise<void> {
    for (;;) {
      await sleep(RETRY_MS, undefined, { ref: false });
      if (this.#waiting.get(name) !== wanted) return;
      try {
        await this.#open(wanted);
        if (this.#waiting.get(name) === wanted) this.#waiting.delete(name);
        return;
      } catch {
        // The first failure has been told.
      }
    }
  }
}
