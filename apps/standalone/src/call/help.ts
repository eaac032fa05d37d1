import { table } from '../report/table.ts';
import type { CommandSpec } from './arguments.ts';

export interface DescribedCommand extends CommandSpec {
  /** What it does, one line. */
  readonly summary: string;
}

const PROGRAM = 'npm run call --';

/** The page of all commands. */
export function renderHelp(commands: Readonly<Record<string, DescribedCommand>>, common: CommandSpec): string {
  const rows = Object.entries(commands).map(([name, command]): [string, string] => [
    usage(name, command),
    command.summary,
  ]);
  return `${PROGRAM} <command> [options]

Commands
${columns(rows)}

Options of every command
${columns(optionRows(common))}

\`${PROGRAM} <command> --help\` tells the options of one command.
`;
}

/** The page of one command. */
export function renderCommandHelp(name: string, command: DescribedCommand, common: CommandSpec): string {
  const own = optionRows(command);
  return `${PROGRAM} ${usage(name, command)}${own.length === 0 ? '' : ' [options]'}

${command.summary}

Options
${columns([...own, ...optionRows(common)])}
`;
}

function usage(name: string, { positionals }: CommandSpec): string {
  const words = positionals.map((word) => (word.endsWith('?') ? `[${word.slice(0, -1)}]` : `<${word}>`));
  return [name, ...words].join(' ');
}

function optionRows({ options }: CommandSpec): [string, string][] {
  return Object.entries(options).map(([name, { value, help }]) => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
}

function columns(rows: readonly [string, string][]): string {
  return table(rows, 'left').join('\n');
}
