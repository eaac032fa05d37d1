export type NetErrorCode =
  | 'invalid-address'
  | 'invalid-option'
  | 'invalid-handle'
  | 'invalid-interfaces'
  | 'unknown-interface'
  | 'address-in-use'
  | 'address-not-available'
  | 'address-family-not-supported'
  | 'permission-denied'
  | 'no-such-device'
  | 'too-many-files'
  | 'out-of-memory'
  | 'ports-exhausted'
  /** Any other refusal by the system; the message names it. */
  | 'system';

/** Everything that libs/net throws but for RangeError, which is a caller's mistake with memory. */
export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;

  constructor(code: NetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const CODE_BY_ERRNO = new Map<string, NetErrorCode>([
  ['EADDRINUSE', 'address-in-use'],
  ['EADDRNOTAVAIL', 'address-not-available'],
  ['EAFNOSUPPORT', 'address-family-not-supported'],
  ['EACCES', 'permission-denied'],
  ['EPERM', 'permission-denied'],
  ['ENODEV', 'no-such-device'],
  ['EMFILE', 'too-many-files'],
  ['ENFILE', 'too-many-files'],
  ['ENOMEM', 'out-of-memory'],
  ['ENOBUFS', 'out-of-memory'],
]);

/** A failed system call, from libs/native or node:dgram (both carry the errno's name as `code`), as a NetError that says what was tried. */
export function netErrorFrom(what: string, cause: unknown): NetError {
  if (cause instanceof NetError) return cause;
  const errno = property(cause, 'code');
  const detail = property(cause, 'message') ?? String(cause);
  return new NetError(CODE_BY_ERRNO.get(errno ?? '') ?? 'system', `${what}: ${detail}`, { cause });
}

/** By shape, not by class: an error of Node's may come from another realm, as under Jest. */
function property(error: unknown, name: 'code' | 'message'): string | undefined {
  if (typeof error !== 'object' || error === null || !(name in error)) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
