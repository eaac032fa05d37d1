import { FAILOVER_EVENTS } from '../failover/events.ts';
import type { FailoverEvent } from '../failover/events.ts';
import { UsageError, integer, oneOf, text } from './values.ts';
import type { Values } from './values.ts';

export const FAILOVER_SCENARIO = 'srtla-failover';

/** What it takes beside the options of all and `--pps` and `--peer`. */
export const FAILOVER_OPTIONS = ['event', 'latency'] as const;

/** All that left by the links is captured to a file and read whole. */
const MAX_PACKETS = 1_000_000;
const NAMES = FAILOVER_EVENTS.map(({ name }) => name);

export const FAILOVER_USAGE = `of srtla-failover
  --event E      ${NAMES.slice(0, 6).join(', ')}, ${NAMES[6]},
                 ${NAMES.slice(7).join(', ')}; or all, one after the other: the default
  --pps N        packets a second, 100 to 10000; default 1000. Buffers lose something in a stall only where it is large
  --seconds S    length of the stream, 9 to 600; default 12
  --latency MS   of the SRT session, 20 to 8000; default 200, with restart 4000
  --peer FOLDER  a folder with the programs srtla_send and srtla_rec: runs them too, by turns
`;

export interface FailoverArguments {
  readonly scenario: typeof FAILOVER_SCENARIO;
  readonly events: readonly FailoverEvent[];
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** 0: what suits the event. */
  readonly latencyMs: number;
  /** Folder of the peer's programs. */
  readonly peer: string | null;
}

/** @throws UsageError */
export function parseFailoverArguments(values: Values): FailoverArguments {
  const event = oneOf('--event', text(values, 'event') ?? 'all', ['all', ...NAMES]);
  const packetsPerSecond = integer(values, 'pps', 100, 10_000, 1000);
  // A flap of 3 s has to be over before the stream is.
  const seconds = integer(values, 'seconds', 9, 600, 12);
  if (packetsPerSecond * seconds > MAX_PACKETS) {
    throw new UsageError(`--pps ${packetsPerSecond} for --seconds ${seconds}: at most ${MAX_PACKETS} packets in all`);
  }
  return {
    scenario: FAILOVER_SCENARIO,
    events: event === 'all' ? FAILOVER_EVENTS : FAILOVER_EVENTS.filter(({ name }) => name === event),
    packetsPerSecond,
    seconds,
    latencyMs: integer(values, 'latency', 20, 8000, 0),
    peer: text(values, 'peer') ?? null,
  };
}
