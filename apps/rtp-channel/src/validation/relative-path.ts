const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;

/**
 * Why a name may not stand for a file below a configured folder; undefined if it may. This looks at the text alone: links are
 * found when the file is open (src/files/contained-folder.ts).
 */
export function relativePathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `must have at most ${MAX_PATH_BYTES} bytes`;
  if (path.includes('\0')) return 'must not contain NUL';
  if (path.startsWith('/')) return 'must be relative';
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') return 'must not contain empty, "." or ".." parts';
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `must have at most ${MAX_NAME_BYTES} bytes in each part`;
  }
  return undefined;
}
