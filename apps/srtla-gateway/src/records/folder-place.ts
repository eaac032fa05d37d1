import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordPlace } from './record-store.ts';

/** A listener with 64 rules, everything in them at its longest, is a quarter of it. */
const MAX_FILE_BYTES = 1 << 20;
const MAX_FILES = 20_000;
const ENDING = '.record';
const CHECK_BYTES = 8;
const OWNER_ONLY = 0o600;

/**
 * A folder with a file for each record, for the bus inside the process, which ends with it. A file appears whole or not at all (rename)
 * and begins with a checksum. It is not forced to the disk: what a power cut takes was too old to be of use when power is back.
 */
export class FolderPlace implements RecordPlace {
  readonly #folder: string;
  #made: Promise<unknown> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(prefix: string, onCorrupt: (key: string, why: string) => void): Promise<Map<string, Uint8Array>> {
    const records = new Map<string, Uint8Array>();
    await this.#make();
    const names = (await readdir(this.#folder)).filter((name) => name.startsWith(prefix) && name.endsWith(ENDING));
    for (const name of names.slice(0, MAX_FILES)) {
      const key = name.slice(0, -ENDING.length);
      const content = await this.#read(join(this.#folder, name));
      if (typeof content === 'string') onCorrupt(key, content);
      else records.set(key, content);
    }
    if (names.length > MAX_FILES) onCorrupt('', `${names.length} records, only ${MAX_FILES} are read`);
    return records;
  }

  async write(key: string, value: Uint8Array): Promise<void> {
    await this.#make();
    const file = this.#file(key);
    const unfinished = `${file}.new`;
    await writeFile(unfinished, Buffer.concat([check(value), value]), { mode: OWNER_ONLY });
    await rename(unfinished, file);
  }

  async remove(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  /** Other nodes cannot be seen. */
  async takeForeign(): Promise<undefined> {
    return undefined;
  }

  /** The record, or what is wrong with the file. */
  async #read(file: string): Promise<Uint8Array | string> {
    try {
      const { size } = await stat(file);
      if (size > MAX_FILE_BYTES) return `${size} bytes, at most ${MAX_FILE_BYTES} are read`;
      const content = await readFile(file);
      const value = new Uint8Array(content.subarray(CHECK_BYTES));
      return content.subarray(0, CHECK_BYTES).equals(check(value)) ? value : 'its checksum is wrong';
    } catch (error) {
      return String(error);
    }
  }

  #file(key: string): string {
    return join(this.#folder, key + ENDING);
  }

  #make(): Promise<unknown> {
    this.#made ??= mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }
}

function check(value: Uint8Array): Buffer {
  return createHash('sha256').update(value).digest().subarray(0, CHECK_BYTES);
}
