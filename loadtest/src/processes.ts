import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { atExit } from './at-exit.ts';

/** Child processes of a load test: none outlives it, whichever way it ends. */

const STOP_GRACE_MS = 3000;
const KEPT_OUTPUT_CHARACTERS = 4000;

export interface StartOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Node's own flags for every script that is started from source. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

/** A child with an IPC channel, if it is a Node process, and the end of its output for failure messages. */
export class Child<In, Out> implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';
  #onOutput: () => void = () => undefined;

  private constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
    this.#exited = once(process, 'exit');
    const registered = atExit(() => process.kill('SIGKILL'));
    process.once('exit', () => registered[Symbol.dispose]());
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
      this.#onOutput();
    };
    process.stdout?.on('data', keep);
    process.stderr?.on('data', keep);
  }

  /** @throws Error when the program cannot be started */
  static async start<In, Out>(options: StartOptions, ipc = false): Promise<Child<In, Out>> {
    const process = spawn(options.program, options.args, {
      env: { ...globalThis.process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])],
    });
    // Registered before the first await: an interrupt in between must find it.
    const child = new Child<In, Out>(options.name, process);
    await once(process, 'spawn');
    return child;
  }

  /** A script on this Node, with IPC. `flags` go to Node, `args` to the script. */
  static startNode<In, Out>(
    script: string,
    options: {
      name: string;
      flags?: readonly string[];
      args?: readonly string[];
      env?: Readonly<Record<string, string>>;
    },
  ): Promise<Child<In, Out>> {
    const { name, flags = [], args = [], env = {} } = options;
    return Child.start(
      { name, program: process.execPath, args: [...NODE_FLAGS, ...flags, script, ...args], env },
      true,
    );
  }

  get pid(): number {
    // `start` resolves after the event `spawn`, from when on there is a pid.
    return this.#process.pid ?? -1;
  }

  /** The end of what it has printed. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Sends a message if there is one and resolves with the next answer. Rejects when it does not come in time, or the child ends. */
  async ask(message: In | null, timeoutMs: number): Promise<Out> {
    const abort = new AbortController();
    const answer = once(this.#process, 'message', { signal: abort.signal }).then(([value]: Out[]) => value);
    const ended = this.#end();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      if (message !== null) this.#process.send(message as object);
      return await Promise.race([answer, ended]);
    } catch (error) {
      throw abort.signal.aborted ? new Error(this.describe(`gave no answer within ${timeoutMs} ms`)) : error;
    } finally {
      clearTimeout(timer);
      abort.abort();
      ended.catch(() => undefined);
      answer.catch(() => undefined);
    }
  }

  /** Resolves with the match when its output has one. Rejects when that takes too long, or the child ends. */
  async untilPrinted(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    let timer: NodeJS.Timeout | undefined;
    const printed = new Promise<RegExpExecArray>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(this.describe(`did not print ${pattern} in ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#onOutput = () => {
        const match = pattern.exec(this.#output);
        if (match !== null) resolve(match);
      };
      this.#onOutput();
    });
    const ended = this.#end();
    try {
      return await Promise.race([printed, ended]);
    } finally {
      clearTimeout(timer);
      this.#onOutput = () => undefined;
      ended.catch(() => undefined);
    }
  }

  async #end(): Promise<never> {
    await this.#exited;
    throw new Error(this.describe('ended'));
  }

  describe(what: string): string {
    return `${this.name} (pid ${this.pid}) ${what}${this.#output === '' ? '' : `; it printed last:\n${this.#output}`}`;
  }

  /** Asks with SIGTERM, insists with SIGKILL, resolves when it has ended. Idempotent. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#process.kill('SIGTERM');
    const insist = setTimeout(() => this.#process.kill('SIGKILL'), STOP_GRACE_MS);
    await this.#exited;
    clearTimeout(insist);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The crash: SIGKILL now; resolves when it has ended. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
