/**
 * - `link-limit`: the number of a link is not 0 to MAX_LINKS - 1, so there would be too many.
 * - `link-exists`: there is a link of that number.
 * - `no-such-link`: there is none.
 */
export type UplinkErrorCode = 'link-limit' | 'link-exists' | 'no-such-link';

export class UplinkError extends Error {
  readonly code: UplinkErrorCode;

  constructor(code: UplinkErrorCode, message: string) {
    super(message);
    this.name = 'UplinkError';
    this.code = code;
  }
}
