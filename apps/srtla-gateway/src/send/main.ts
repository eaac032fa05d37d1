/** `npm run srtla-send`: an uplink on its own, without a cluster. Node runs it from source. */
import { JsonDisplay, PlainDisplay, TerminalDisplay } from './displays.ts';
import type { Display } from './displays.ts';
import { HELP, UsageError, parseOptions } from './options.ts';
import type { SendOptions } from './options.ts';
import { ExitCode, OutcomeWatch } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { StandaloneSender } from './sender.ts';

// Node's own status for it would say that the command line is wrong.
process.once('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(ExitCode.failed);
});
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options !== null) return await send(options, displayFor(options));
    process.stdout.write(HELP);
    return ExitCode.worked;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry --help.\n`);
    return ExitCode.usage;
  }
}

function displayFor({ json, intervalMs }: SendOptions): Display {
  if (json) return new JsonDisplay(process.stdout);
  return process.stdout.isTTY ? new TerminalDisplay(process.stdout) : new PlainDisplay(process.stdout, intervalMs);
}

async function send(options: SendOptions, display: Display): Promise<number> {
  const end = Promise.withResolvers<Outcome>();
  const watch = new OutcomeWatch(options, performance.now());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.resolve(watch.onSignal(signal)));
  // Nobody reads what we say any more: the terminal was closed, or the reader of a pipe has left.
  process.stdout.on('error', () => end.resolve(watch.onSignal('the output was closed')));
  let sender: StandaloneSender | undefined;
  // Before it has started, the file is yet to be read.
  process.on('SIGHUP', () => void sender?.reload());
  try {
    sender = await StandaloneSender.start(options, display, {
      onLinkUp: () => watch.onLinkUp(),
      onStatistics: (view) => {
        const outcome = watch.onStatistics(view, performance.now());
        if (outcome !== null) end.resolve(outcome);
      },
    });
  } catch (error) {
    const outcome = { code: ExitCode.failed, reason: error instanceof Error ? error.message : String(error) };
    display.ended(outcome, null);
    return outcome.code;
  }
  const outcome = await end.promise;
  const last = sender.view();
  await sender[Symbol.asyncDispose]();
  display.ended(outcome, last);
  return outcome.code;
}
