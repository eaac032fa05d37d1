import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const CACHE_BIN = join(import.meta.dirname, '..', '..', '..', '.cache', 'system', 'bin');

/**
 * The absolute path of a program from a Debian package: on PATH, in the system's folders, or fetched earlier by
 * tools/system-packages.mjs (whose `systemBinary` is the same search); null if nowhere.
 */
export function findSystemBinary(name: string): string | null {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const folders = [...path, '/usr/sbin', '/usr/local/sbin', CACHE_BIN];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
