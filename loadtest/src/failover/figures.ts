import type { CapturedData } from './capture.ts';

export interface EventTimes {
  /** Just before it was made to happen, and when it had. */
  readonly begunUnixMs: number;
  readonly happenedUnixMs: number;
  /** When the link was to come back; Infinity: it was not. */
  readonly endedUnixMs: number;
}

/**
 * How long after the beginning of the event the last packet left by the link that had not left by any before, in ms: SRT has to ask
 * for it again. Copies of what went by another link do no harm. 0: none did.
 */
export function lastNewDataMs(sent: readonly CapturedData[], link: number, times: EventTimes): number {
  const seen = new Set<number>();
  let last = times.begunUnixMs;
  for (const { unixMs, interface: by, sequence, isRetransmission } of sent) {
    const isNew = !isRetransmission && !seen.has(sequence);
    seen.add(sequence);
    if (isNew && by === link && unixMs > last && unixMs < times.endedUnixMs) last = unixMs;
  }
  return last - times.begunUnixMs;
}

/** How long after the beginning of the event data reached the server for the first time since it had happened, in ms; Infinity: never. */
export function backAfterMs(served: readonly CapturedData[], times: EventTimes): number {
  const first = served.find(({ unixMs }) => unixMs > times.happenedUnixMs);
  return first === undefined ? Infinity : first.unixMs - times.begunUnixMs;
}
