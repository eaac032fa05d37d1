import { constants } from 'node:fs';
import { mkdir, open, readlink, realpath, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { relativePathProblem } from '../validation/relative-path.ts';
import { errnoOf, FileError, fileErrorFrom } from './errors.ts';

/** A pipe or device must not hold up the open; what it is shows afterwards. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * A folder that callers name files in, and that no name escapes. Where a file really lies is asked of the open descriptor, not
 * of the name before: a link that is put there in between gains nothing.
 */
export class ContainedFolder {
  readonly path: string;
  #real: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Opens a regular file. @throws FileError */
  async openForReading(name: string): Promise<FileHandle> {
    requireRelative(name);
    try {
      const root = await this.#root();
      const path = join(root, name);
      const handle = await open(path, READ_FLAGS);
      return await vouchFor(handle, path, root, name);
    } catch (error) {
      throw fileErrorFrom(name, error);
    }
  }

  /** Creates a file that is not there yet, with the folders that lead to it. @throws FileError */
  async create(name: string): Promise<FileHandle> {
    requireRelative(name);
    try {
      await this.#make();
      const root = await this.#root();
      const parts = name.split('/');
      const fileName = parts.pop() ?? '';
      let folder = root;
      for (const part of parts) folder = await enterFolder(join(folder, part), root, name);
      const path = join(folder, fileName);
      const handle = await open(path, CREATE_FLAGS, 0o640);
      return await vouchFor(handle, path, root, name);
    } catch (error) {
      throw fileErrorFrom(name, error);
    }
  }

  /** For a file that `create` has just made. */
  async remove(name: string): Promise<void> {
    await unlink(join(await this.#root(), name));
  }

  /** A file in its place is not a file that is in the way of the new one. */
  async #make(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true });
    } catch (error) {
      throw new FileError('system', `the folder cannot be made: ${errnoOf(error)}`, { cause: error });
    }
  }

  async #root(): Promise<string> {
    this.#real ??= await realpath(this.path);
    return this.#real;
  }
}

function requireRelative(name: string): void {
  const problem = relativePathProblem(name);
  if (problem !== undefined) throw new FileError('outside', problem);
}

/** Makes the folder unless it is there, perhaps as a link. Returns where it really is. */
async function enterFolder(path: string, root: string, name: string): Promise<string> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const real = await realpath(path);
  if (!isInside(real, root)) throw new FileError('outside', `${name} leads out of its folder`);
  return real;
}

/** Returns the handle if it is of a regular file inside `root`; otherwise closes it. */
async function vouchFor(handle: FileHandle, path: string, root: string, name: string): Promise<FileHandle> {
  try {
    const status = await handle.stat();
    if (!isInside(await realPathOf(handle, path), root)) {
      throw new FileError('outside', `${name} leads out of its folder`);
    }
    if (!status.isFile()) throw new FileError('not-a-file', `${name} is not a regular file`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function realPathOf(handle: FileHandle, path: string): Promise<string> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`);
  // Without /proc: the path as it resolves now, if that is still the file that is open.
  const real = await realpath(path);
  const [opened, named] = await Promise.all([handle.stat(), stat(real)]);
  if (opened.dev !== named.dev || opened.ino !== named.ino) throw new FileError('outside', 'the path has changed');
  return real;
}

function isInside(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}
