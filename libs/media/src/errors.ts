export type MediaErrorCode =
  /** No session has that id on any thread. */
  | 'no-such-session'
  /** A session with that id is already open. */
  | 'session-exists'
  /** The thread that held the session died; the session is gone. */
  | 'thread-lost'
  /** The pool is stopping. */
  | 'stopping'
  /** The program refused the command; `cause` says why. */
  | 'command-failed'
  /** A socket could not be attached. */
  | 'attach-failed';

export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
