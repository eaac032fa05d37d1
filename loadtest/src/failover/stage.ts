import { join } from 'node:path';
import { findSystemBinary } from '@mediaplane/testkit';
import { Child } from '../processes.ts';
import type { ServerProgram } from './failover-engine.ts';
import type { Namespaces, Side } from './namespaces.ts';
import type { FromNumberedSink, FromNumberedSource, ToNumberedSink, ToNumberedSource } from './numbered-plan.ts';

/** Programs of the system that a run needs; `ip` and `nft` for the namespaces. */
const TOOLS = ['ip', 'nft', 'tcpdump', 'srt-live-transmit'] as const;

/** The ports of a run. All are in the namespaces, where nobody else has any. */
export const PORTS = { source: 7001, encoder: 6000, receiver: 5000, server: 5002, sink: 7000 } as const;

const START_WITHIN_MS = 30_000;
/** An SRT server after bonded links gives packets that are late so many others before it asks for them again. */
const REORDER_PACKETS = 40;

type Started = Child<never, never>;

/** What leaves for a port, as tcpdump writes it down until it is stopped. */
export interface Capture {
  readonly file: string;
  stop(): Promise<void>;
}

/** Says which of `TOOLS`, or whether root, is missing; null if nothing is. */
export function missingTools(): string | null {
  if (process.getuid?.() !== 0) return 'srtla-failover makes network namespaces: it has to be run as root';
  const missing = TOOLS.filter((tool) => findSystemBinary(tool) === null);
  return missing.length === 0 ? null : `srtla-failover needs ${missing.join(', ')}`;
}

/**
 * The programs around a sender and a receiver, each in its namespace: source -> libsrt's encoder -> (sender -> links -> receiver) ->
 * libsrt's server -> sink. What is started ends with the stack, the last first.
 */
export class Stage {
  readonly #network: Namespaces;
  readonly #stack: AsyncDisposableStack;
  readonly #folder: string;

  constructor(network: Namespaces, stack: AsyncDisposableStack, folder: string) {
    this.#network = network;
    this.#stack = stack;
    this.#folder = folder;
  }

  /** Resolves when it says that it serves. */
  async server(side: Side, name: string, { program, args, env, ready }: ServerProgram): Promise<Started> {
    const child = await this.#start<never, never>(side, name, program, args, env);
    await child.untilPrinted(ready, START_WITHIN_MS);
    return child;
  }

  /** Sends packets that are not counted until it is told to number them. */
  source(packetsPerSecond: number): Promise<Child<ToNumberedSource, FromNumberedSource>> {
    return this.#node('sender', 'numbered-source', [PORTS.source, packetsPerSecond]);
  }

  sink(): Promise<Child<ToNumberedSink, FromNumberedSink>> {
    return this.#node('receiver', 'numbered-sink', [PORTS.sink]);
  }

  encoder(latencyMs: number): Promise<Started> {
    const from = `udp://127.0.0.1:${PORTS.source}?rcvbuf=${4 << 20}`;
    return this.#transmit(
      'sender',
      'encoder',
      from,
      `srt://127.0.0.1:${PORTS.encoder}?mode=caller&latency=${latencyMs}`,
    );
  }

  srtServer(latencyMs: number): Promise<Started> {
    const from = `srt://127.0.0.1:${PORTS.server}?mode=listener&lossmaxttl=${REORDER_PACKETS}&latency=${latencyMs}`;
    return this.#transmit('receiver', 'SRT server', from, `udp://127.0.0.1:${PORTS.sink}`);
  }

  /** Of what is for a UDP port: what leaves, or, over the loopback interface, what comes in (libpcap shows it once). */
  async capture(side: Side, direction: 'in' | 'out', port: number): Promise<Capture> {
    const file = join(this.#folder, `${side}.pcap`);
    const options = `-Q ${direction} -i any -y LINUX_SLL2 -n -U -B 16384 -Z root -w`;
    const args = [...options.split(' '), file, `udp dst port ${port}`];
    const child = await this.server(side, 'tcpdump', { program: 'tcpdump', args, ready: /listening on/ });
    return { file, stop: () => child.stop() };
  }

  #transmit(side: Side, name: string, from: string, to: string): Promise<Started> {
    return this.#start(side, name, 'srt-live-transmit', ['-q', from, to]);
  }

  #node<In, Out>(side: Side, name: string, args: readonly number[]): Promise<Child<In, Out>> {
    const script = join(import.meta.dirname, `${name}-main.ts`);
    const all = ['--disable-warning=ExperimentalWarning', script, ...args.map(String)];
    return this.#start(side, name, process.execPath, all, {}, true);
  }

  async #start<In, Out>(
    side: Side,
    name: string,
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    ipc = false,
  ): Promise<Child<In, Out>> {
    const path = findSystemBinary(program) ?? program;
    const child = await Child.start<In, Out>({ name, env, ...this.#network.inside(side, path, args) }, ipc);
    return this.#stack.use(child);
  }
}
