import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { WaitOptions } from './wait-list.ts';
import { WaitList } from './wait-list.ts';

export interface StartProcessOptions {
  readonly args?: readonly string[];
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What failure messages call it; default the program's file name. */
  readonly name?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Output beyond this is forgotten, oldest first. */
const KEPT_LINES = 5000;
const LINES_IN_MESSAGES = 40;

/** A child process that a test started: its output as lines, its end as a promise, its death guaranteed by `stop`. */
export class TestProcess implements AsyncDisposable {
  readonly name: string;
  /** Resolves when it has ended and all of its output is read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  private exit: ProcessExit | null = null;
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;
  private readonly kept: string[] = [];
  private readonly waits = new WaitList(() => this.describe());

  private constructor(child: ChildProcessByStdio<null, Readable, Readable>, name: string) {
    this.child = child;
    this.name = name;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.exit = { code, signal };
        this.waits.abandon(`${name} ended`);
        resolve(this.exit);
      });
    });
    for (const stream of [child.stdout, child.stderr]) this.readLines(stream);
  }

  /** @throws Error when the program cannot be started. */
  static async start(program: string, options: StartProcessOptions = {}): Promise<TestProcess> {
    const child = spawn(program, options.args ?? [], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new TestProcess(child, options.name ?? basename(program));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return started;
  }

  /** Starts a script (`dist/main.js` or a `.ts` file) on the Node that runs this. */
  static startNode(script: string, options: StartProcessOptions = {}): Promise<TestProcess> {
    const args = ['--disable-warning=ExperimentalWarning', script, ...(options.args ?? [])];
    return TestProcess.start(process.execPath, { name: basename(script), ...options, args });
  }

  get pid(): number {
    // `start` resolves after the event `spawn`, from when on there is a pid.
    return this.child.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.exit === null;
  }

  /** What it has printed on stdout and stderr, as lines in the order of arrival. */
  get lines(): readonly string[] {
    return this.kept;
  }

  /** Resolves with the first line, printed already or to come, that matches. Rejects when the process ends before. */
  waitForLine(pattern: RegExp | string, options: WaitOptions = {}): Promise<string> {
    const matches = (line: string): boolean =>
      typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
    return this.until(() => this.kept.find(matches), { what: `${this.name}: a line ${String(pattern)}`, ...options });
  }

  /** As `waitForLine` for structured logs: the first line that is a JSON object for which `predicate` holds. */
  waitForJson(
    predicate: (entry: Readonly<Record<string, unknown>>) => boolean,
    options: WaitOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const look = (): Readonly<Record<string, unknown>> | undefined => this.json().find(predicate);
    return this.until(look, { what: `${this.name}: a JSON line`, ...options });
  }

  /** The lines that are JSON objects. */
  json(): Readonly<Record<string, unknown>>[] {
    return this.kept.map(parseObject).filter((entry) => entry !== null);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.exit === null) this.child.kill(signal);
  }

  /** Asks with SIGTERM, insists with SIGKILL after `graceMs`, resolves when it has ended. Idempotent. */
  async stop(graceMs = 5000): Promise<ProcessExit> {
    this.signal('SIGTERM');
    const insist = setTimeout(() => this.signal('SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(insist);
    return exit;
  }

  /** The crash: SIGKILL now. */
  async kill(): Promise<ProcessExit> {
    this.signal('SIGKILL');
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private until<T>(look: () => T | undefined, options: WaitOptions): Promise<T> {
    const found = this.waits.until(look, options);
    // Everything it will ever print is there: what is not found now will not come.
    if (this.exit !== null) this.waits.abandon(`${this.name} has ended`);
    return found;
  }

  private readLines(stream: Readable): void {
    let rest = '';
    const keep = (line: string): void => {
      this.kept.push(line);
      if (this.kept.length > KEPT_LINES) this.kept.shift();
    };
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(keep);
      this.waits.changed();
    });
    stream.once('end', () => {
      if (rest !== '') keep(rest);
      this.waits.changed();
    });
  }

  private describe(): string {
    const state = this.exit === null ? 'is running' : `ended with ${this.exit.signal ?? `code ${this.exit.code}`}`;
    const output = this.kept.slice(-LINES_IN_MESSAGES).map((line) => `  | ${line}`);
    return [`${this.name} (pid ${this.pid}) ${state} and printed last:`, ...output].join('\n');
  }
}

function parseObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return Object.fromEntries(Object.entries(JSON.parse(line)));
  } catch {
    return null;
  }
}
