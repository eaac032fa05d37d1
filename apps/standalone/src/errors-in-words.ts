import { ServiceError } from '@mediaplane/control';

/** What went wrong, in one line for people: `NOT_FOUND CHANNEL_NOT_FOUND: ...`. */
export function inWords(error: unknown): string {
  if (error instanceof ServiceError) return `${error.code} ${error.reason}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
