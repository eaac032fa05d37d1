import type { FileHandle } from 'node:fs/promises';
import type { ContainedFolder } from './contained-folder.ts';
import type { Prompt } from './decode-prompt.ts';
import { decodePrompt } from './decode-prompt.ts';
import { FileError, fileErrorFrom } from './errors.ts';

export interface PromptsOptions {
  readonly folder: ContainedFolder;
  /** Decoded audio that is kept; 8 kHz PCM16 takes 16 kB/s. */
  readonly cacheBytes: number;
  readonly maxFileBytes: number;
}

/** Audio to play, decoded. Files are decoded once for each of their versions and kept, least recently used first to go. */
export class Prompts {
  readonly #options: PromptsOptions;
  /** By name, size and time of change; in order of last use. */
  readonly #cache = new Map<string, Prompt>();
  readonly #decoding = new Map<string, Promise<Prompt>>();
  #cachedBytes = 0;

  constructor(options: PromptsOptions) {
    this.#options = options;
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** @throws FileError */
  async fromFile(name: string): Promise<Prompt> {
    const handle = await this.#options.folder.openForReading(name);
    try {
      const { size, mtimeMs, ino } = await handle.stat();
      const key = `${name}\0${size}\0${mtimeMs}\0${ino}`;
      return this.#cached(key) ?? (await this.#decodeOnce(key, handle, name, size));
    } finally {
      await handle.close();
    }
  }

  /** @throws FileError `not-audio` */
  fromBytes(bytes: Uint8Array): Promise<Prompt> {
    return decodePrompt(bytes, 'inline audio');
  }

  #cached(key: string): Prompt | undefined {
    const prompt = this.#cache.get(key);
    if (prompt !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, prompt);
    }
    return prompt;
  }

  /** Callers that want the same file at once share the work, and hold a descriptor each until it is done. */
  async #decodeOnce(key: string, handle: FileHandle, name: string, size: number): Promise<Prompt> {
    let decoding = this.#decoding.get(key);
    if (decoding === undefined) {
      decoding = this.#decode(handle, name, size);
      this.#decoding.set(key, decoding);
      decoding.then(
        (prompt) => this.#keep(key, prompt),
        () => this.#decoding.delete(key),
      );
    }
    return decoding;
  }

  async #decode(handle: FileHandle, name: string, size: number): Promise<Prompt> {
    const { maxFileBytes } = this.#options;
    if (size > maxFileBytes) {
      throw new FileError('too-large', `${name} has ${size} bytes, allowed are ${maxFileBytes}`);
    }
    return decodePrompt(await readBytes(handle, name, size), name);
  }

  #keep(key: string, prompt: Prompt): void {
    this.#decoding.delete(key);
    const { cacheBytes } = this.#options;
    if (prompt.samples.byteLength > cacheBytes) return;
    this.#cache.set(key, prompt);
    this.#cachedBytes += prompt.samples.byteLength;
    for (const [oldest, { samples }] of this.#cache) {
      if (this.#cachedBytes <= cacheBytes) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= samples.byteLength;
    }
  }
}

/** The first `size` bytes, or fewer if the file has shrunk. */
async function readBytes(handle: FileHandle, name: string, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  try {
    while (length < size) {
      const { bytesRead } = await handle.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (error) {
    throw fileErrorFrom(name, error);
  }
  return bytes.subarray(0, length);
}
