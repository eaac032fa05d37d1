import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from '@mediaplane/control';
import { parseLinksFile } from './links-file.ts';
import type { LinksFile } from './links-file.ts';

const POLL_MS = 1000;
/** An editor that writes in parts has written the next within this time. */
const SETTLE_MS = 200;

/** A file of links that is of no use; the message tells file, lines and what is wrong. */
export class LinksFileError extends Error {
  override readonly name = 'LinksFileError';
}

export interface LinksFileWatchOptions {
  readonly path: string;
  /** The file says something else than before. */
  onLinks(file: LinksFile): void;
  /** It was asked for, or has changed, and is of no use: what was read before holds. */
  onRefused(error: LinksFileError): void;
  /** Default: 1000. */
  readonly pollMs?: number;
}

/**
 * Follows a file of links. Its state is polled, which sees what is renamed into its place, links to it that are switched (ConfigMaps)
 * and network file systems alike.
 */
export class LinksFileWatch implements Disposable {
  readonly #options: LinksFileWatchOptions;
  readonly #turns = new Turns();
  readonly #onChange = (): void => void this.reload();
  #text: string;

  private constructor(options: LinksFileWatchOptions, text: string) {
    this.#options = options;
    this.#text = text;
  }

  /** Resolves with the watch and what the file says now. Nothing is told before `follow`. @throws LinksFileError */
  static async open(options: LinksFileWatchOptions): Promise<{ watch: LinksFileWatch; file: LinksFile }> {
    const text = await readText(options.path);
    const file = usable(options.path, text);
    return { watch: new LinksFileWatch(options, text), file };
  }

  /** From now on, and what has been written since `open`. Resolves as `reload`. */
  follow(): Promise<void> {
    const { path, pollMs = POLL_MS } = this.#options;
    watchFile(path, { interval: pollMs, persistent: false }, this.#onChange);
    return this.reload();
  }

  /** Reads it anew. Resolves when the listener has been told, if there is anything to tell. */
  reload(): Promise<void> {
    return this.#turns.run(async () => {
      const { path, onLinks, onRefused } = this.#options;
      try {
        const text = await settledText(path);
        if (text === this.#text) return;
        const file = usable(path, text);
        this.#text = text;
        onLinks(file);
      } catch (error) {
        onRefused(error instanceof LinksFileError ? error : new LinksFileError(String(error), { cause: error }));
      }
    });
  }

  [Symbol.dispose](): void {
    unwatchFile(this.#options.path, this.#onChange);
  }
}

async function settledText(path: string): Promise<string> {
  for (let text = await readText(path); ;) {
    await sleep(SETTLE_MS);
    const again = await readText(path);
    if (again === text) return text;
    text = again;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LinksFileError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function usable(path: string, text: string): LinksFile {
  const file = parseLinksFile(text);
  if (file.links.length > 0) return file;
  const lines = file.problems.map(({ line, message }) => `; line ${line}: ${message}`);
  throw new LinksFileError(`${path} tells of no link${lines.join('')}`);
}
