/** `npm run call -- <command>`: a gRPC client of rtp-channel for people. Node runs it from source. */
import { ServiceError } from '@mediaplane/control';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import { inWords } from '../errors-in-words.ts';
import { parseArguments, splitCommand, UsageError } from './arguments.ts';
import type { CommandSpec } from './arguments.ts';
import { channelCommands } from './channel-commands.ts';
import type { Command } from './command.ts';
import { CONNECTION_OPTIONS, connectionOf } from './connection.ts';
import { demoCommand } from './demo-command.ts';
import { renderCommandHelp, renderHelp } from './help.ts';
import { mediaCommands } from './media-commands.ts';
import { showError } from './show.ts';

const COMMANDS: Readonly<Record<string, Command>> = { ...channelCommands, ...mediaCommands, demo: demoCommand };

const COMMON: CommandSpec = {
  positionals: [],
  options: {
    ...CONNECTION_OPTIONS,
    json: { kind: 'flag', help: 'answers as JSON, one object a line' },
    help: { kind: 'flag', help: 'this page' },
  },
};

const EXIT_FAILED = 1;
/** sysexits.h */
const EXIT_USAGE = 64;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const { name, rest } = splitCommand(words, COMMON);
  if (name === undefined) {
    const asked = rest.includes('--help');
    (asked ? process.stdout : process.stderr).write(renderHelp(COMMANDS, COMMON));
    return asked ? 0 : EXIT_USAGE;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`there is no command "${name}"\n\n${renderHelp(COMMANDS, COMMON)}`);
    return EXIT_USAGE;
  }
  let address = '';
  try {
    const spec = { positionals: command.positionals, options: { ...command.options, ...COMMON.options } };
    const args = parseArguments(rest, spec);
    if (args.flag('help')) {
      process.stdout.write(renderCommandHelp(name, command, COMMON));
      return 0;
    }
    const connection = connectionOf(args, process.env);
    ({ address } = connection);
    using client = createClient(RtpChannelServiceDefinition, address, connection.options);
    const abort = new AbortController();
    process.once('SIGINT', () => abort.abort());
    const print = (lines: readonly string[], json: unknown): void => {
      if (args.flag('json')) process.stdout.write(`${JSON.stringify(json)}\n`);
      else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    };
    const ok = await command.run({ client, args, signal: abort.signal, print, progressOut: process.stderr });
    return ok ? 0 : EXIT_FAILED;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${renderCommandHelp(name, command, COMMON)}`);
      return EXIT_USAGE;
    }
    const lines = error instanceof ServiceError ? showError(error, address) : [inWords(error)];
    process.stderr.write(`${lines.join('\n')}\n`);
    return EXIT_FAILED;
  }
}
