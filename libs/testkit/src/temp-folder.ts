import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test's own: `await using folder = await tempFolder('recordings')`. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
  /** Removes the folder and what is in it. Idempotent. */
  remove(): Promise<void>;
}

export async function tempFolder(name = 'mediaplane'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
