import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { ConfigError } from '@mediaplane/service';
import type { RunningService } from '@mediaplane/service';
import packageJson from '../package.json' with { type: 'json' };
import { demonstrateBonding } from './bonding-demonstration.ts';
import { callName, demonstrateCall } from './demonstration.ts';
import type { Demonstration } from './demonstration.ts';
import { inWords } from './errors-in-words.ts';
import { LogFile } from './log-file.ts';
import { HELP, parseOptions } from './options.ts';
import type { StandaloneOptions } from './options.ts';
import { Progress } from './progress.ts';
import { renderStart, renderTryIt } from './report/start-report.ts';
import type { Access } from './report/start-report.ts';
import { Standalone } from './standalone.ts';

/** Of the call, the burst after it, and the bonded stream. */
const EXPECTED_MS = 17_500;
const LOG_PATH = '.cache/standalone.log';
/** How long channels that somebody opened may go on after Ctrl-C. */
const DRAIN_GRACE_MS = 5_000;
/** npm passes a signal on that the terminal has sent to its whole group: what follows this soon is the same one. */
const SAME_SIGNAL_MS = 500;
const EXIT_FAILED = 1;
/** sysexits.h */
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;
/** As shells report it: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const options = readOptions();
const log = new LogFile(LOG_PATH);
const standalone = await start(options);
let stage: 'demonstrating' | 'serving' | 'stopping' = 'demonstrating';
stopOnSignal(standalone);

print(
  renderStart({
    version: packageJson.version,
    machine: `Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`,
    services: standalone.services.map(({ name, instanceId, grpcAddress, adminAddress, config }) => ({
      name,
      instanceId,
      grpcAddress,
      adminAddress,
      mediaPorts: name === 'rtp-channel' ? `RTP ${config.net.rtpPortMin}-${config.net.rtpPortMax}` : '',
    })),
    bus: 'in this process',
    mediaFolder: shortened(standalone.mediaFolder),
    recordingsFolder: shortened(standalone.recordingsFolder),
    logFile: LOG_PATH,
    notes: [...standalone.notes, ...log.warnings],
  }),
);

const demonstrations = await demonstrate(standalone);
// After a signal in the middle, what they say is of no use any more, and the handler ends the process.
if (stage === 'demonstrating') await report();

async function demonstrate({ rtpChannel, srtlaGateway, recordingsFolder }: Standalone): Promise<Demonstration[]> {
  using progress = new Progress(process.stdout, EXPECTED_MS);
  const name = callName(new Date());
  const call = await demonstrateCall(rtpChannel, recordingsFolder, name, options.tlsCa, progress);
  if (stage !== 'demonstrating') return [call];
  return [call, await demonstrateBonding(srtlaGateway, name, options.tlsCa, progress)];
}

async function report(): Promise<void> {
  print(demonstrations.flatMap(({ lines }) => ['', ...lines]));
  if (!options.once) {
    stage = 'serving';
    print(renderTryIt(accessTo(standalone.rtpChannel), accessTo(standalone.srtlaGateway)));
    return;
  }
  await standalone.stop('the demonstration is over', 0);
  await log.close();
  const ok = demonstrations.every((each) => each.ok);
  if (!ok) process.stderr.write('Not everything went well: see ✗ above.\n');
  process.exit(ok ? 0 : EXIT_FAILED);
}

function accessTo({ grpcAddress, config }: RunningService): Access {
  const { tls, bearerToken, bearerTokenFile } = config.grpc;
  return {
    grpcAddress,
    tls: tls.certFile !== '',
    tlsCa: options.tlsCa,
    token: bearerToken !== '' || bearerTokenFile !== '',
  };
}

function readOptions(): StandaloneOptions {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (!parsed.help) return parsed;
    process.stdout.write(HELP);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${inWords(error)}\n\n${HELP}`);
    return process.exit(EXIT_USAGE);
  }
}

async function start({ recordings }: StandaloneOptions): Promise<Standalone> {
  try {
    return await Standalone.start({ env: process.env, recordings, log });
  } catch (error) {
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `cannot start: ${inWords(error)}\n`);
    return process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILED);
  }
}

/** The first signal drains, a second one closes what is left at once. */
function stopOnSignal(running: Standalone): void {
  let firstMs: number | undefined;
  let exitCode = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstMs !== undefined && nowMs - firstMs < SAME_SIGNAL_MS) return;
    if (firstMs === undefined) {
      process.stdout.write(`\nStopping: open channels have ${DRAIN_GRACE_MS / 1000} s (${signal} again: none).\n`);
    }
    const graceMs = firstMs === undefined ? DRAIN_GRACE_MS : 0;
    if (firstMs === undefined) exitCode = stage === 'serving' ? 0 : EXIT_INTERRUPTED;
    firstMs ??= nowMs;
    stage = 'stopping';
    void running
      .stop(signal, graceMs)
      .then(() => log.close())
      .then(() => {
        process.stdout.write('Stopped.\n');
        process.exit(exitCode);
      });
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

function print(lines: readonly string[]): void {
  const coloured = (line: string): string =>
    line
      .replace(/^( +)✓/, (_, indent: string) => `${indent}${styleText('green', '✓')}`)
      .replace(/^( +)✗/, (_, indent: string) => `${indent}${styleText('red', '✗')}`);
  process.stdout.write(`${lines.map(coloured).join('\n')}\n\n`);
}

/** Relative where that is shorter. */
function shortened(path: string): string {
  const short = relative('', path);
  return short.length < path.length ? short : path;
}
