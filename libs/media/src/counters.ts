/** Counters that every media thread keeps, before those of its program. Units are in the names. */
export const THREAD_COUNTERS = [
  /** Monotonic milliseconds (the process's clock) of the last completed pass: what the watchdog looks at. */
  'heartbeatMs',
  'passes',
  'datagramsReceived',
  'bytesReceived',
  'datagramsSent',
  'bytesSent',
  'sendWouldBlock',
  'sendRefused',
  'sendTooBig',
  'sendFailed',
  'receiveFailed',
  'datagramsTruncated',
  'receiveBacklogs',
  'framesSkipped',
  'sessionFailures',
  'sessions',
  'coalescedWaits',
  'commands',
  'gsoRefused',
  'datagramsOverflowed',
] as const;

export type ThreadCounter = (typeof THREAD_COUNTERS)[number];

/**
 * Named doubles in shared memory: one thread writes, the control thread reads when metrics are collected.
 * A double is written whole on every platform Node runs on, and each has one writer, so no atomics are needed.
 */
export class SharedCounters<Name extends string> {
  readonly names: readonly Name[];
  readonly buffer: SharedArrayBuffer;
  readonly values: Float64Array;

  constructor(names: readonly Name[], buffer?: SharedArrayBuffer) {
    this.names = names;
    this.buffer = buffer ?? new SharedArrayBuffer(names.length * Float64Array.BYTES_PER_ELEMENT);
    this.values = new Float64Array(this.buffer);
  }

  /** The place of a counter in `values`; look it up once, not per packet. @throws RangeError for a name that was not declared. */
  index(name: Name): number {
    const index = this.names.indexOf(name);
    if (index < 0) throw new RangeError(`no counter is named ${name}`);
    return index;
  }

  get(name: Name): number {
    return this.values[this.index(name)];
  }
}
