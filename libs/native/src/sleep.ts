import { libc } from './libc.ts';

const MAX_SLEEP_US = 999_999;

/** Blocks this thread for `us` microseconds, 0 to 999,999, or less when a signal comes. @throws RangeError */
export function sleepUs(us: number): void {
  if (!(us >= 0 && us <= MAX_SLEEP_US)) throw new RangeError(`sleep of ${us} us: must be 0 to ${MAX_SLEEP_US}`);
  libc().usleep(Math.trunc(us));
}
