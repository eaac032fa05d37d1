import { FAILOVER_EVENTS } from '../failover/events.ts';
import type { FailoverEvent } from '../failover/events.ts';
import { integer, oneOf, text } from './values.ts';
import type { Values } from './values.ts';

export const FAILOVER_SCENARIO = 'srtla-failover';

/** What it takes beside the options of all and `--pps` and `--peer`. */
export const FAILOVER_OPTIONS = ['event', 'latency'] as const;

const NAMES = FAILOVER_EVENTS.map(({ name }) => name);

export const FAILOVER_USAGE = `of srtla-failover
  --event E      ${NAMES.slice(0, 5).join(', ')},
                 ${NAMES.slice(5).join(', ')}; by default one after the other
  --pps N        packets a second, 100 to 10000; default 1000
  --seconds S    length of the stream, 9 to 600; default 12
  --latency MS   of the SRT session, 20 to 8000; default 200, with restart 4000
  --peer FOLDER  as above
`;

export interface FailoverArguments {
  readonly scenario: typeof FAILOVER_SCENARIO;
  readonly events: readonly FailoverEvent[];
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** Null: what suits the event. */
  readonly latencyMs: number | null;
  /** Folder of the peer's programs. */
  readonly peer: string | null;
}

/** @throws UsageError */
export function parseFailoverArguments(values: Values): FailoverArguments {
  const event = oneOf('--event', text(values, 'event') ?? 'all', ['all', ...NAMES]);
  return {
    scenario: FAILOVER_SCENARIO,
    events: event === 'all' ? FAILOVER_EVENTS : FAILOVER_EVENTS.filter(({ name }) => name === event),
    packetsPerSecond: integer(values, 'pps', 100, 10_000, 1000),
    // A flap of 3 s has to be over before the stream is.
    seconds: integer(values, 'seconds', 9, 600, 12),
    latencyMs: values['latency'] === undefined ? null : integer(values, 'latency', 20, 8000, 200),
    peer: text(values, 'peer') ?? null,
  };
}
