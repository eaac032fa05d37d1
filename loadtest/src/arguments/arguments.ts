import { parseArgs } from 'node:util';
import { FAILOVER_OPTIONS, FAILOVER_SCENARIO, FAILOVER_USAGE, parseFailoverArguments } from './failover-arguments.ts';
import type { FailoverArguments } from './failover-arguments.ts';
import { RTP_OPTIONS, RTP_SCENARIOS, RTP_USAGE, parseRtpArguments } from './rtp-arguments.ts';
import type { RtpArguments } from './rtp-arguments.ts';
import { SRTLA_OPTIONS, SRTLA_SCENARIOS, SRTLA_USAGE, parseSrtlaArguments } from './srtla-arguments.ts';
import type { SrtlaArguments } from './srtla-arguments.ts';
import { UsageError, integer, oneOf } from './values.ts';
import type { Values } from './values.ts';

const SCENARIOS = [...RTP_SCENARIOS, ...SRTLA_SCENARIOS, FAILOVER_SCENARIO] as const;

/** What every scenario takes. */
interface CommonArguments {
  readonly seconds: number;
  readonly runs: number;
  readonly json: boolean;
}

export type Arguments = CommonArguments & (RtpArguments | SrtlaArguments | FailoverArguments);

export const USAGE = `npm run loadtest -- <scenario> [options]

scenarios
  rtp-idle       channels with a remote and no packets: CPU, and memory per channel
  rtp-echo       every channel echoes 50 packets a second
  rtp-relay      calls of two bridged channels; phone A sends, phone B echoes
  rtp-capacity   the largest number of echoing channels with nothing lost and p99 <= 20 ms
  rtp-churn      channels opened and closed per second over one gRPC connection
  rtp-flood      100,000 packets a second from strangers at one port while the other channels talk
  bus-command    commands through one instance to a channel of another, over a real nats-server
  srtla-receive  SRT by bonded links into a receiver, which hands it to an SRT server
  srtla-send     SRT of an encoder into a sender, which spreads it over its links
  srtla-bonded   sender and receiver in a row
  srtla-failover what is missing, and how long data goes astray, when a link dies or the receiver starts again; as root

of all
  --seconds S    measured time of a run, 1 to 600; default 10
  --runs R       runs of each engine, 1 to 50; default 5 with --peer, else 1
  --json         the result as JSON on standard output

${RTP_USAGE}
${SRTLA_USAGE}
${FAILOVER_USAGE}`;

/** @throws UsageError naming the argument, its value and what is allowed */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  if (positionals.length !== 1) throw new UsageError(`name one scenario: ${SCENARIOS.join(', ')}`);
  const scenario = oneOf('scenario', positionals[0], SCENARIOS);
  const common: CommonArguments = {
    seconds: integer(values, 'seconds', 1, 600, 10),
    runs: integer(values, 'runs', 1, 50, values['peer'] === undefined ? 1 : 5),
    json: values['json'] === true,
  };
  if (scenario === FAILOVER_SCENARIO) {
    refuseOthers(scenario, values, [...RTP_OPTIONS, ...SRTLA_OPTIONS.filter((option) => option !== 'pps')]);
    // Its --seconds are others than those of all.
    return { ...common, ...parseFailoverArguments(values) };
  }
  if (isSrtla(scenario)) {
    refuseOthers(scenario, values, [...RTP_OPTIONS, ...FAILOVER_OPTIONS]);
    return { ...parseSrtlaArguments(scenario, values), ...common };
  }
  refuseOthers(scenario, values, [...SRTLA_OPTIONS, ...FAILOVER_OPTIONS]);
  return { ...parseRtpArguments(scenario, values), ...common };
}

function isSrtla(scenario: (typeof SCENARIOS)[number]): scenario is SrtlaArguments['scenario'] {
  return SRTLA_SCENARIOS.some((name) => name === scenario);
}

function refuseOthers(scenario: string, values: Values, options: readonly string[]): void {
  const stray = options.find((option) => values[option] !== undefined);
  if (stray !== undefined) throw new UsageError(`${scenario} has no --${stray}`);
}

function parse(argv: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  const named = ['seconds', 'runs', 'peer', ...RTP_OPTIONS, ...SRTLA_OPTIONS, ...FAILOVER_OPTIONS];
  const options = {
    ...Object.fromEntries(named.map((name) => [name, { type: 'string' } as const])),
    json: { type: 'boolean' } as const,
  };
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return { values, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
