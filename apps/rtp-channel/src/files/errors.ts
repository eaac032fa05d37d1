export type FileErrorCode =
  | 'not-found'
  /** The name leads out of the folder, by a link. */
  | 'outside'
  /** A folder, device, pipe or socket. */
  | 'not-a-file'
  | 'too-large'
  /** No readable audio. */
  | 'not-audio'
  | 'exists'
  /** The disk has not answered in time. */
  | 'too-slow'
  /** Any refusal of the system: permissions, a full or read-only disk. */
  | 'system';

export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const CODE_BY_ERRNO = new Map<string, FileErrorCode>([
  ['ENOENT', 'not-found'],
  ['ENOTDIR', 'not-found'],
  ['ENAMETOOLONG', 'not-found'],
  ['EEXIST', 'exists'],
  ['EISDIR', 'not-a-file'],
  ['ENXIO', 'not-a-file'],
  ['ELOOP', 'outside'],
]);

/** The errno's name, or ''. */
export function errnoOf(cause: unknown): string {
  const hasCode = typeof cause === 'object' && cause !== null && 'code' in cause;
  return hasCode && typeof cause.code === 'string' ? cause.code : '';
}

/** Says what was tried by the caller's name for the file, never by its place on the disk. */
export function fileErrorFrom(what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const errno = errnoOf(cause);
  return new FileError(CODE_BY_ERRNO.get(errno) ?? 'system', `${what}: ${errno || String(cause)}`, { cause });
}
