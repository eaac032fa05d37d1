import { parseArgs } from 'node:util';

export const SCENARIOS = [
  'rtp-idle',
  'rtp-echo',
  'rtp-relay',
  'rtp-capacity',
  'rtp-churn',
  'rtp-flood',
  'bus-command',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export const ENGINES = ['ours', 'bare', 'rtpengine'] as const;
export type EngineName = (typeof ENGINES)[number];

const PEERS = ['bare', 'rtpengine'] as const;
export type PeerName = (typeof PEERS)[number];

/** Which peers a scenario can be compared with; rtpengine has no echo, and none but ours has gRPC or a bus. */
const PEERS_OF: Readonly<Record<ScenarioName, readonly PeerName[]>> = {
  'rtp-idle': PEERS,
  'rtp-echo': ['bare'],
  'rtp-relay': PEERS,
  'rtp-capacity': ['bare'],
  'rtp-churn': [],
  'rtp-flood': ['bare'],
  'bus-command': [],
};

const DEFAULT_CHANNELS: Readonly<Record<ScenarioName, number>> = {
  'rtp-idle': 1000,
  'rtp-echo': 1000,
  'rtp-relay': 1000,
  'rtp-capacity': 1000,
  'rtp-churn': 64,
  'rtp-flood': 500,
  'bus-command': 1,
};

/** rtp-idle opens three times as many, and an engine has ports for 10,000. */
const MAX_IDLE_CHANNELS = 3333;

export interface Arguments {
  readonly scenario: ScenarioName;
  readonly engine: EngineName;
  readonly channels: number;
  readonly seconds: number;
  readonly threads: number;
  readonly runs: number;
  readonly peer: PeerName | null;
  readonly json: boolean;
}

export const USAGE = `npm run loadtest -- <scenario> [options]

scenarios
  rtp-idle       channels with a remote and no packets: CPU, and memory per channel
  rtp-echo       every channel echoes 50 packets a second
  rtp-relay      calls of two bridged channels; phone A sends, phone B echoes
  rtp-capacity   the largest number of echoing channels with nothing lost and p99 <= 20 ms
  rtp-churn      channels opened and closed per second over one gRPC connection
  rtp-flood      100,000 packets a second from strangers at one port while the other channels talk
  bus-command    commands through one instance to a channel of another, over a real nats-server

options
  --channels N   1 to 10000. rtp-idle: at most 3333, default 1000. rtp-echo: default 1000. rtp-relay: legs, an even number,
                 default 1000. rtp-capacity: where the search begins, default 1000. rtp-flood: default 500, and one that is
                 flooded. rtp-churn and bus-command: calls under way at once, default 64 and 1
  --seconds S    measured time of a run, 1 to 600; default 10
  --threads T    media threads of the engine, 1 to 64; default 1
  --peer P       bare or rtpengine: runs it too, by turns with the engine, and prints ratios
  --runs R       runs of each engine, 1 to 50; default 5 with --peer, else 1
  --engine E     ours (default), bare or rtpengine: what is measured
  --json         the result as JSON on standard output
`;

/** Bad arguments; the message is for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError naming the argument, its value and what is allowed */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  if (positionals.length !== 1) throw new UsageError(`name one scenario: ${SCENARIOS.join(', ')}`);
  const scenario = oneOf('scenario', positionals[0], SCENARIOS);
  const peer = values.peer === undefined ? null : oneOf('--peer', values.peer, PEERS);
  if (peer !== null && !PEERS_OF[scenario].includes(peer)) {
    const allowed = PEERS_OF[scenario];
    throw new UsageError(
      `${scenario} cannot be compared with ${peer}${allowed.length === 0 ? '' : `, only with ${allowed.join(', ')}`}`,
    );
  }
  const engine = oneOf('--engine', values.engine ?? 'ours', ENGINES);
  if (engine !== 'ours' && !PEERS_OF[scenario].includes(engine)) {
    throw new UsageError(`${scenario} cannot be run with --engine ${engine}`);
  }
  const most = scenario === 'rtp-idle' ? MAX_IDLE_CHANNELS : 10_000;
  const channels = integer('--channels', values.channels, 1, most, DEFAULT_CHANNELS[scenario]);
  if ((scenario === 'rtp-relay' || engine === 'rtpengine' || peer === 'rtpengine') && channels % 2 !== 0) {
    throw new UsageError(`--channels ${channels}: a relay needs an even number of legs`);
  }
  return {
    scenario,
    engine,
    peer,
    channels,
    seconds: integer('--seconds', values.seconds, 1, 600, 10),
    threads: integer('--threads', values.threads, 1, 64, 1),
    runs: integer('--runs', values.runs, 1, 50, peer === null ? 1 : 5),
    json: values.json ?? false,
  };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    channels: text,
    seconds: text,
    threads: text,
    peer: text,
    runs: text,
    engine: text,
    json: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${name} ${value}: must be one of ${allowed.join(', ')}`);
  return found;
}

function integer(name: string, value: string | undefined, min: number, max: number, byDefault: number): number {
  if (value === undefined) return byDefault;
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < min || number > max) {
    throw new UsageError(`${name} ${value}: must be a whole number from ${min} to ${max}`);
  }
  return number;
}
