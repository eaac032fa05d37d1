import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { SchedulingMode } from '../domain/sender/options.ts';
import { LINKS_FILE_FORMAT } from '../uplinks/links-file.ts';

/** Something on the command line that cannot be understood; the message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface SendOptions {
  readonly listenAddress: string;
  readonly listenPort: number;
  readonly receiverHost: string;
  readonly receiverPort: number;
  readonly linksFile: string;
  readonly mode: SchedulingMode;
  readonly maxBitrateBps: number;
  /** Longest wait that may be added to a datagram to save CPU. */
  readonly latencyBudgetUs: number;
  readonly json: boolean;
  readonly intervalMs: number;
  /** 0: for ever. */
  readonly registerTimeoutMs: number;
  /** 0: never. */
  readonly giveUpMs: number;
}

const DEFAULTS = {
  listen: '6000',
  mode: 'enhanced',
  profile: 'latency',
  'max-mbps': '50',
  interval: '10',
  'register-timeout': '60',
  'give-up': '0',
};
const LATENCY_BUDGETS_US = new Map([
  ['latency', 0],
  ['economy', 1000],
]);
const LOOPBACK = '127.0.0.1';

export const HELP = `npm run srtla-send -- --to <host:port> --links <file> [options]

Takes SRT from an encoder, and sends it to an SRTLA receiver by several links at once. On a terminal it shows a table of the links;
elsewhere it prints lines.

  --to <host:port>             the receiver: a name or an address, [::1]:5000 for IPv6
  --links <file>               the links, read again when the file changes and on SIGHUP; see below
  --listen <[address:]port>    where the encoder sends to (default ${DEFAULTS.listen}; without an address only this machine can)
  --mode classic|enhanced      how packets are spread (default ${DEFAULTS.mode})
  --max-mbps <n>               the most that the encoder sends, 1 to 1000 (default ${DEFAULTS['max-mbps']}): memory is set aside for it
  --profile latency|economy    no wait at all, or up to 1 ms that saves CPU (default ${DEFAULTS.profile})
  --json                       a JSON object a line: what happens, and statistics each second
  --interval <s>               without a terminal: a line of statistics so often (default ${DEFAULTS.interval}; 0: none)
  --register-timeout <s>       end with 3 when no link is up by then (default ${DEFAULTS['register-timeout']}; 0: keep trying)
  --give-up <s>                end with 4 when all links are down for so long (default: never)
  --help                       this page

Exit status
  0   ended by SIGINT or SIGTERM, after at least one link had been up
  1   the command line cannot be understood
  2   it could not start: no links in the file, the encoder's port is taken; or an error of its own
  3   no link was ever up: within --register-timeout, or before a signal ended it
  4   all links were down for --give-up

The file of links
${LINKS_FILE_FORMAT.replace(/^/gm, '  ').trimEnd()}
`;

/** null: help was asked for. @throws UsageError */
export function parseOptions(args: readonly string[]): SendOptions | null {
  const given = parse(args);
  if (given.help === true) return null;
  const { to, links } = given;
  if (to === undefined) throw new UsageError('--to <host:port> is missing');
  if (links === undefined || links === '') throw new UsageError('--links <file> is missing');
  const receiver = endpoint('--to', to);
  const listen = /^\d+$/.test(given.listen)
    ? { host: LOOPBACK, port: port('--listen', given.listen) }
    : endpoint('--listen', given.listen);
  if (isIP(listen.host) === 0)
    throw new UsageError(`--listen must be <address>:<port> or <port>, is "${given.listen}"`);
  const { mode } = given;
  if (mode !== 'classic' && mode !== 'enhanced')
    throw new UsageError(`--mode must be classic or enhanced, is "${mode}"`);
  const latencyBudgetUs = LATENCY_BUDGETS_US.get(given.profile);
  if (latencyBudgetUs === undefined)
    throw new UsageError(`--profile must be latency or economy, is "${given.profile}"`);
  return {
    listenAddress: listen.host,
    listenPort: listen.port,
    receiverHost: receiver.host,
    receiverPort: receiver.port,
    linksFile: links,
    mode,
    maxBitrateBps: number('--max-mbps', given['max-mbps'], 1, 1000) * 1e6,
    latencyBudgetUs,
    json: given.json === true,
    intervalMs: seconds('--interval', given.interval),
    registerTimeoutMs: seconds('--register-timeout', given['register-timeout']),
    giveUpMs: seconds('--give-up', given['give-up']),
  };
}

function parse(args: readonly string[]) {
  const text = (name: keyof typeof DEFAULTS) => ({ type: 'string', default: DEFAULTS[name] }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        to: { type: 'string' },
        links: { type: 'string' },
        listen: text('listen'),
        mode: text('mode'),
        profile: text('profile'),
        'max-mbps': text('max-mbps'),
        interval: text('interval'),
        'register-timeout': text('register-timeout'),
        'give-up': text('give-up'),
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** `host:5000`, `[::1]:5000` */
function endpoint(option: string, text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) throw new UsageError(`${option} must be <host>:<port>, is "${text}"`);
  return { host: match[1] ?? match[2], port: port(option, match[3]) };
}

function port(option: string, text: string): number {
  return number(`the port of ${option}`, text, option === '--to' ? 1 : 0, 65535);
}

function seconds(option: string, text: string): number {
  return number(option, text, 0, 86_400) * 1000;
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} must be ${min} to ${max}, is "${text}"`);
}
