import { errnoName } from './errno.ts';

/** A system call on the control path failed. Calls of the hot path return `-errno` instead and never throw this. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly call: string;
  /** Positive errno value. */
  readonly errno: number;
  /** The errno's name, such as `EADDRINUSE`. */
  readonly code: string;

  constructor(call: string, errno: number) {
    super(`${call} failed: ${errnoName(errno)}`);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/** No C library could be loaded: not Linux, or neither glibc nor musl under their usual names. */
export class NativeUnavailableError extends Error {
  override readonly name = 'NativeUnavailableError';
}
