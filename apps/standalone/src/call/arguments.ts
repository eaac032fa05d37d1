import { parseArgs } from 'node:util';
import type { ParseArgsConfig, ParseArgsOptionDescriptor } from 'node:util';

/** Something on the command line that cannot be understood; the message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One option of a command. */
export interface OptionSpec {
  readonly kind: 'text' | 'number' | 'flag';
  /** What stands for the value in the help: `<ms>`. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times. */
  readonly many?: boolean;
}

export interface CommandSpec {
  /** Names of its positional arguments; one that ends in `?` may be left out. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
}

/** What was given, by name; getters check what a command relies on. */
export class Arguments {
  private readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  private readonly given: ReadonlyMap<string, string>;

  constructor(values: Arguments['values'], given: Arguments['given']) {
    this.values = values;
    this.given = given;
  }

  /** A positional argument that the command needs. */
  required(name: string): string {
    const value = this.given.get(name);
    if (value === undefined) throw new UsageError(`<${name}> is missing`);
    return value;
  }

  optional(name: string): string | undefined {
    return this.given.get(name);
  }

  text(option: string): string | undefined {
    const value = this.values[option];
    return typeof value === 'string' ? value : undefined;
  }

  texts(option: string): string[] {
    const value = this.values[option];
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
  }

  flag(option: string): boolean {
    return this.values[option] === true;
  }

  number(option: string): number | undefined {
    const value = this.text(option);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) {
      throw new UsageError(`--${option} must be a number, is "${value}"`);
    }
    return number;
  }
}

/** The first word that is no option, and the rest: options may stand before the command. */
export function splitCommand(
  args: readonly string[],
  common: CommandSpec,
): { name: string | undefined; rest: string[] } {
  const options = parserOptions(common.options);
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const command = tokens.find((token) => token.kind === 'positional');
  if (command === undefined) return { name: undefined, rest: [...args] };
  return { name: command.value, rest: args.toSpliced(command.index, 1) };
}

/** @throws UsageError */
export function parseArguments(args: readonly string[], { positionals, options }: CommandSpec): Arguments {
  const { values, positionals: given } = understood(() =>
    parseArgs({ args: [...args], options: parserOptions(options), allowPositionals: true }),
  );
  if (given.length > positionals.length)
    throw new UsageError(`"${given[positionals.length]}" is one argument too many`);
  const named = new Map(given.map((value, i) => [positionals[i].replace('?', ''), value]));
  const missing = positionals.find((name, i) => !name.endsWith('?') && i >= given.length);
  if (missing !== undefined && values['help'] !== true) throw new UsageError(`<${missing}> is missing`);
  return new Arguments(values, named);
}

/** `127.0.0.1:4000` or `[::1]:4000`. @throws UsageError */
export function parseRemote(text: string): { address: string; rtpPort: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) throw new UsageError(`--remote must be <address>:<port>, is "${text}"`);
  return { address: match[1] ?? match[2], rtpPort: Number(match[3]) };
}

/** `name=value`, several. @throws UsageError */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 1) throw new UsageError(`--label must be <name>=<value>, is "${text}"`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function parserOptions(options: CommandSpec['options']): NonNullable<ParseArgsConfig['options']> {
  const entries = Object.entries(options).map(([name, { kind, many }]): [string, ParseArgsOptionDescriptor] => [
    name,
    { type: kind === 'flag' ? 'boolean' : 'string', multiple: many === true },
  ]);
  return Object.fromEntries(entries);
}

function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
