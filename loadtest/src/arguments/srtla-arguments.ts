import type { Profile } from '../engines/bonding-engine.ts';
import type { Pace } from '../generator/srt-plan.ts';
import { UsageError, integer, oneOf, text } from './values.ts';
import type { Values } from './values.ts';

export const SRTLA_SCENARIOS = ['srtla-receive', 'srtla-send', 'srtla-bonded'] as const;
export type SrtlaScenarioName = (typeof SRTLA_SCENARIOS)[number];

const PACES = ['even', 'burst'] as const;
const PROFILES = ['latency', 'economy'] as const;
/** One machine and one encoder process. */
const MAX_TOTAL_PPS = 200_000;

/** What the scenarios of srtla-gateway alone take. */
export const SRTLA_OPTIONS = ['pps', 'links', 'groups', 'pace', 'profile', 'warm-up'] as const;

export const SRTLA_USAGE = `of srtla-receive, srtla-send and srtla-bonded
  --pps N        packets a second of each stream, 1 to 100000; default 10000
  --links N      links of each group, 1 to 16; default 2
  --groups N     streams, each a group of its own, 1 to 1000; default 1. More than one: srtla-receive
  --pace P       even (default), or burst: all packets of a millisecond at once
  --profile P    latency (default): nothing waits; economy: each program may keep a packet for 1 ms to save wake-ups
  --warm-up S    sent before and not counted, 1 to 600; default 10: what runs a few thousand times a second compiles late
  --peer FOLDER  a folder with the programs srtla_send and srtla_rec: runs them too, by turns, and prints ratios
`;

export interface SrtlaArguments {
  readonly scenario: SrtlaScenarioName;
  readonly packetsPerSecond: number;
  readonly links: number;
  readonly groups: number;
  readonly pace: Pace;
  readonly profile: Profile;
  readonly warmUpSeconds: number;
  /** Folder of the peer's programs. */
  readonly peer: string | null;
}

/** @throws UsageError */
export function parseSrtlaArguments(scenario: SrtlaScenarioName, values: Values): SrtlaArguments {
  const packetsPerSecond = integer(values, 'pps', 1, 100_000, 10_000);
  const groups = integer(values, 'groups', 1, 1000, 1);
  if (groups > 1 && scenario !== 'srtla-receive') {
    throw new UsageError(`--groups ${groups}: ${scenario} has one, only srtla-receive takes more`);
  }
  if (groups * packetsPerSecond > MAX_TOTAL_PPS) {
    throw new UsageError(
      `--groups ${groups} with --pps ${packetsPerSecond}: at most ${MAX_TOTAL_PPS} packets a second in all`,
    );
  }
  return {
    scenario,
    packetsPerSecond,
    groups,
    links: integer(values, 'links', 1, 16, 2),
    pace: oneOf('--pace', text(values, 'pace') ?? 'even', PACES),
    profile: oneOf('--profile', text(values, 'profile') ?? 'latency', PROFILES),
    warmUpSeconds: integer(values, 'warm-up', 1, 600, 10),
    peer: text(values, 'peer') ?? null,
  };
}
