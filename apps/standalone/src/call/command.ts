import type { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import type { ProgressOutput } from '../progress.ts';
import type { Arguments } from './arguments.ts';
import type { DescribedCommand } from './help.ts';

/** What a command works with. */
export interface CommandContext {
  readonly client: ServiceClient<RtpChannelServiceDefinition>;
  readonly args: Arguments;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Lines for people; with --json, `json` as one line instead. */
  print(lines: readonly string[], json: unknown): void;
  /** Where progress goes: standard error, so that output can be piped. */
  readonly progressOut: ProgressOutput;
}

export interface Command extends DescribedCommand {
  /** Resolves with whether all went well. */
  run(context: CommandContext): Promise<boolean>;
}
