import { join } from 'node:path';
import { TestProcess } from './process.ts';
import { findSystemBinary } from './system-binary.ts';
import { tempFolder } from './temp-folder.ts';

export interface NatsServerOptions {
  /** JetStream with its store in `storeDir`; default true. */
  readonly jetstream?: boolean;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a folder of its own that `stop` removes. */
  readonly storeDir?: string;
  /** More arguments of nats-server, as `['--auth', 'token']`. */
  readonly args?: readonly string[];
}

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 10_000;

/** A real nats-server on the loopback interface for the length of a test. */
export class NatsServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  private process: TestProcess;
  private readonly args: readonly string[];
  private readonly cleanUp: () => Promise<void>;

  constructor(
    running: TestProcess,
    port: number,
    storeDir: string,
    args: readonly string[],
    cleanUp: () => Promise<void>,
  ) {
    this.process = running;
    this.port = port;
    this.url = `nats://${HOST}:${port}`;
    this.storeDir = storeDir;
    this.args = args;
    this.cleanUp = cleanUp;
  }

  get pid(): number {
    return this.process.pid;
  }

  get isRunning(): boolean {
    return this.process.isRunning;
  }

  /** Its log, for failure messages. */
  get lines(): readonly string[] {
    return this.process.lines;
  }

  /** Ends the server but keeps port and store for `resume`: NATS is away. `SIGKILL` is a crash. */
  async halt(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await (signal === 'SIGKILL' ? this.process.kill() : this.process.stop());
  }

  /** Starts it again on the same port and store, and waits until it accepts connections. */
  async resume(): Promise<void> {
    if (this.process.isRunning) return;
    this.process = await launch(this.port, this.args);
  }

  /** `halt`, then `resume`. */
  async restart(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.halt(signal);
    await this.resume();
  }

  /** Ends the server by its pid, and removes the store unless the caller gave it. Idempotent. */
  async stop(): Promise<void> {
    await this.halt();
    await this.cleanUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Resolves when the server accepts connections. @throws Error when nats-server is not on this machine, or with its log. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const own = options.storeDir === undefined ? await tempFolder('nats-server') : null;
  const storeDir = options.storeDir ?? own?.path ?? '';
  const cleanUp = async (): Promise<void> => own?.remove();
  const jetstream = options.jetstream === false ? [] : ['--jetstream', '--store_dir', join(storeDir, 'store')];
  const args = [...jetstream, ...(options.args ?? [])];
  try {
    // -1 lets the server take a free port, which it then names in its log.
    const running = await launch(options.port ?? -1, args);
    const listening = await running.waitForLine(/Listening for client connections on .*:(\d+)$/);
    const port = Number(listening.slice(listening.lastIndexOf(':') + 1));
    return new NatsServer(running, port, storeDir, args, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function launch(port: number, args: readonly string[]): Promise<TestProcess> {
  const program = findSystemBinary('nats-server');
  if (program === null) throw new Error('nats-server is not on this machine (try: node tools/system-packages.mjs)');
  const started = await TestProcess.start(program, { args: ['--addr', HOST, '--port', String(port), ...args] });
  try {
    await started.waitForLine('Server is ready', { timeoutMs: READY_WITHIN_MS });
  } catch (error) {
    await started.kill();
    throw error;
  }
  return started;
}
