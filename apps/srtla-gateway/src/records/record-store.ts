import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@mediaplane/control';
import type { Logger } from '@mediaplane/control';

/** Where records of this node are kept. Keys: `[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*`. */
export interface RecordPlace {
  /** What is readable of what there is below `prefix`; `onCorrupt` is told of each record that is not. */
  load(prefix: string, onCorrupt: (key: string, why: string) => void): Promise<Map<string, Uint8Array>>;
  write(key: string, value: Uint8Array): Promise<void>;
  /** What is not there is removed without a word. */
  remove(key: string): Promise<void>;
  /** Removes the record of that key that another node has, and returns it; undefined when none has. */
  takeForeign(key: string): Promise<Uint8Array | undefined>;
}

const RETRY_MS = 500;
/** Of a `load`: five seconds, as long as an SRT session waits. */
const LOAD_TRIES = 10;
/** More than any instance has groups. */
const MAX_WAITING = 20_000;

/**
 * What an instance leaves for the one that is started after it on its node. Written behind: a call returns at once, of several writes to
 * a key the last one counts, and what fails is tried until it works. Nothing of it ever ends the process.
 */
export class RecordStore {
  readonly #place: RecordPlace;
  readonly #log: Logger;
  /** By key; null: to be removed. */
  readonly #waiting = new Map<string, Uint8Array | null>();
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;
  #failing = false;
  /** Since the start. */
  failures = 0;
  corrupt = 0;
  dropped = 0;

  constructor(place: RecordPlace, log: Logger) {
    this.#place = place;
    this.#log = log;
  }

  /**
   * What the last instance left below `prefix`, which ends with a dot; '': all of it. Nothing when that cannot be read, which is said once.
   * It is tried for a while: a bus that has just come back may not answer yet, and a stream is not given up for that.
   */
  async load(prefix = ''): Promise<Map<string, Uint8Array>> {
    const onCorrupt = (key: string, why: string): void => {
      this.corrupt += 1;
      if (this.corrupt === 1)
        this.#log.warn({ key, why }, 'a record of this node is unreadable and left out; more are only counted');
    };
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#place.load(prefix, onCorrupt);
      } catch (err) {
        this.failures += 1;
        if (tries === 1) this.#log.warn({ err }, 'records of this node cannot be read');
        if (tries === LOAD_TRIES || !(err instanceof ServiceError)) break;
        await sleep(RETRY_MS);
      }
    }
    this.#log.error({ prefix }, 'records of this node cannot be read: nothing is taken over from before');
    return new Map();
  }

  /** What another node has under that key, which it has no more after this; undefined when that cannot be read. */
  async takeForeign(key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#place.takeForeign(key);
    } catch (err) {
      this.failures += 1;
      this.#log.warn({ err }, 'a record of another node cannot be read');
      return undefined;
    }
  }

  put(key: string, value: Uint8Array): void {
    this.#wait(key, value);
  }

  remove(key: string): void {
    this.#wait(key, null);
  }

  /** Resolves when nothing waits, or the first attempt at something has failed. */
  async flush(): Promise<void> {
    await this.#write();
  }

  /** Writes what waits, once, and ends. */
  async stop(): Promise<void> {
    await this.flush();
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #wait(key: string, value: Uint8Array | null): void {
    if (this.#stopped) return;
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(key)) {
      this.dropped += 1;
      return;
    }
    this.#waiting.set(key, value);
    // While it fails, the timer sets the pace.
    if (!this.#failing) void this.#write();
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#retry);
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [key, value] = next;
      try {
        if (value === null) await this.#place.remove(key);
        else await this.#place.write(key, value);
      } catch (err) {
        this.#fail(err, 'a record of this node cannot be written; it is tried until it works');
        // Behind the others, which may not share its fault.
        if (this.#waiting.get(key) === value) {
          this.#waiting.delete(key);
          this.#waiting.set(key, value);
        }
        this.#retry = setTimeout(() => void this.#write(), RETRY_MS).unref();
        return;
      }
      if (this.#waiting.get(key) === value) this.#waiting.delete(key);
    }
    if (this.#failing) this.#log.info({ failures: this.failures }, 'records of this node are written again');
    this.#failing = false;
  }

  #next(): [string, Uint8Array | null] | undefined {
    for (const entry of this.#waiting) return entry;
    return undefined;
  }

  #fail(err: unknown, message: string): void {
    this.failures += 1;
    if (!this.#failing) this.#log.error({ err }, message);
    this.#failing = true;
  }
}
