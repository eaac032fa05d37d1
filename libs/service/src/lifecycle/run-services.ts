import { parseArgs } from 'node:util';
import { ServiceError } from '@mediaplane/control';
import { ConfigError } from '../config/load-config.ts';
import type { StartOptions } from './service-spec.ts';
import type { RunningService } from './start-service.ts';

/** sysexits.h EX_CONFIG and EX_UNAVAILABLE: an operator's mistake, and something that was not there. */
const EXIT_CONFIG = 78;
const EXIT_UNAVAILABLE = 69;
const HALF_A_MINUTE_MS = 30_000;

export type StartFunction = (options: StartOptions) => Promise<RunningService[]>;

/**
 * The `main` of an app: reads `--config <file>` and the environment, starts, and stops on SIGTERM or SIGINT: the first signal
 * drains, a second one closes what is left at once. A bad configuration ends the process with one line and status 78.
 */
export async function runServices(start: StartFunction): Promise<void> {
  // Before anything else: a signal that comes while the services start must not cut them off half-way.
  const started = Promise.withResolvers<RunningService[]>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    const graceMs = signals > 1 ? 0 : undefined;
    void started.promise
      .then((services) => Promise.all(services.map((service) => service.stop(signal, graceMs))))
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // Timers of the libraries keep no process alive, and there is nothing else yet while the start waits for NATS.
  const alive = setInterval(() => undefined, HALF_A_MINUTE_MS);
  try {
    started.resolve(await start({ sources: { file: configFile(), env: process.env } }));
  } catch (error) {
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `cannot start: ${describe(error)}\n`);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_UNAVAILABLE);
  } finally {
    clearInterval(alive);
  }
}

function configFile(): string | undefined {
  try {
    return parseArgs({ options: { config: { type: 'string' } } }).values.config;
  } catch (error) {
    throw new ConfigError(
      `command line: ${error instanceof Error ? error.message : String(error)} (known: --config <file>)`,
    );
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ServiceError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? `${error.message}: choose another port` : (error.stack ?? error.message);
}
