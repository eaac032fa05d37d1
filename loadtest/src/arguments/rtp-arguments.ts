import { UsageError, integer, oneOf, text } from './values.ts';
import type { Values } from './values.ts';

export const RTP_SCENARIOS = [
  'rtp-idle',
  'rtp-echo',
  'rtp-relay',
  'rtp-capacity',
  'rtp-churn',
  'rtp-flood',
  'bus-command',
] as const;
export type RtpScenarioName = (typeof RTP_SCENARIOS)[number];

const ENGINES = ['ours', 'bare', 'rtpengine'] as const;
export type RtpEngineName = (typeof ENGINES)[number];

const PEERS = ['bare', 'rtpengine'] as const;
export type RtpPeerName = (typeof PEERS)[number];

/** Which peers a scenario can be compared with; rtpengine has no echo, and none but ours has gRPC or a bus. */
const PEERS_OF: Readonly<Record<RtpScenarioName, readonly RtpPeerName[]>> = {
  'rtp-idle': PEERS,
  'rtp-echo': ['bare'],
  'rtp-relay': PEERS,
  'rtp-capacity': ['bare'],
  'rtp-churn': [],
  'rtp-flood': ['bare'],
  'bus-command': [],
};

const DEFAULT_CHANNELS: Readonly<Record<RtpScenarioName, number>> = {
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

/** What the scenarios of rtp-channel alone take. */
export const RTP_OPTIONS = ['channels', 'threads', 'engine'] as const;

export const RTP_USAGE = `of rtp-* and bus-command
  --channels N   1 to 10000. rtp-idle: at most 3333, default 1000. rtp-echo: default 1000. rtp-relay: legs, an even number,
                 default 1000. rtp-capacity: where the search begins, default 1000. rtp-flood: default 500, and one that is
                 flooded. rtp-churn and bus-command: calls under way at once, default 64 and 1
  --threads T    media threads of the engine, 1 to 64; default 1
  --peer P       bare or rtpengine: runs it too, by turns with the engine, and prints ratios
  --engine E     ours (default), bare or rtpengine: what is measured
`;

export interface RtpArguments {
  readonly scenario: RtpScenarioName;
  readonly engine: RtpEngineName;
  readonly channels: number;
  readonly threads: number;
  readonly peer: RtpPeerName | null;
}

/** @throws UsageError */
export function parseRtpArguments(scenario: RtpScenarioName, values: Values): RtpArguments {
  const peer = text(values, 'peer') === undefined ? null : oneOf('--peer', text(values, 'peer') ?? '', PEERS);
  if (peer !== null && !PEERS_OF[scenario].includes(peer)) {
    const allowed = PEERS_OF[scenario];
    throw new UsageError(
      `${scenario} cannot be compared with ${peer}${allowed.length === 0 ? '' : `, only with ${allowed.join(', ')}`}`,
    );
  }
  const engine = oneOf('--engine', text(values, 'engine') ?? 'ours', ENGINES);
  if (engine !== 'ours' && !PEERS_OF[scenario].includes(engine)) {
    throw new UsageError(`${scenario} cannot be run with --engine ${engine}`);
  }
  const most = scenario === 'rtp-idle' ? MAX_IDLE_CHANNELS : 10_000;
  const channels = integer(values, 'channels', 1, most, DEFAULT_CHANNELS[scenario]);
  if ((scenario === 'rtp-relay' || engine === 'rtpengine' || peer === 'rtpengine') && channels % 2 !== 0) {
    throw new UsageError(`--channels ${channels}: a relay needs an even number of legs`);
  }
  return { scenario, engine, peer, channels, threads: integer(values, 'threads', 1, 64, 1) };
}
