import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findSystemBinary } from '@mediaplane/testkit';
import type { ReadyProgram } from '../engines/srtla-pair.ts';
import { Child, NODE_FLAGS } from '../processes.ts';
import type { CapturedData } from './capture.ts';
import { readCapture } from './capture.ts';
import { NETWORK_TOOLS } from './namespaces.ts';
import type { Namespaces, Side } from './namespaces.ts';
import { NUMBERED_BYTES } from './numbered-plan.ts';
import type { FromNumberedSink, FromNumberedSource, ToNumberedSink, ToNumberedSource } from './numbered-plan.ts';

const TOOLS = [...NETWORK_TOOLS, 'tcpdump', 'srt-live-transmit'] as const;

/** The ports of a run. All are in the namespaces, where nobody else has any. */
export const PORTS = { source: 7001, encoder: 6000, receiver: 5000, server: 5002, sink: 7000 } as const;

const START_WITHIN_MS = 30_000;
/** An SRT server after bonded links gives packets that are late so many others before it asks for them again. */
const REORDER_PACKETS = 40;
const SRT_HEADER_BYTES = 16;
/** libsrt counts a packet of its buffers as that long. */
const SRT_UNIT_BYTES = 1500;
/** libsrt's buffers and window are to hold what is sent in twice the latency, and no less than by default. */
const MIN_SRT_PACKETS = 8192;
const UDP_BUFFER_BYTES = 4 << 20;
/** tcpdump hands over what it has seen in blocks, a second old at the most. */
const CAPTURE_BLOCK_MS = 1200;

export interface StreamPlan {
  readonly packetsPerSecond: number;
  /** Of the SRT session. */
  readonly latencyMs: number;
}

/** What tcpdump has seen. */
export interface Capture {
  /** Ends it. @throws Error when it did not see everything */
  data(): Promise<CapturedData[]>;
}

/** Says which of the programs, or whether root, is missing; null if nothing is. */
export function missingTools(): string | null {
  if (process.getuid?.() !== 0) return 'srtla-failover makes network namespaces: it has to be run as root';
  const missing = TOOLS.filter((tool) => findSystemBinary(tool) === null);
  return missing.length === 0 ? null : `srtla-failover needs ${missing.join(', ')}`;
}

interface Start {
  readonly side: Side;
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ipc?: boolean;
}

/**
 * The programs around a sender and a receiver, each in its namespace: source -> libsrt's encoder -> (sender -> links -> receiver) ->
 * libsrt's server -> sink. What is started ends with the stack, the last first.
 */
export class Stage {
  readonly #network: Namespaces;
  readonly #stack: AsyncDisposableStack;
  readonly #folder: string;
  readonly #plan: StreamPlan;
  readonly #running = new Set<Child<never, never>>();

  constructor(network: Namespaces, stack: AsyncDisposableStack, folder: string, plan: StreamPlan) {
    this.#network = network;
    this.#stack = stack;
    this.#folder = folder;
    this.#plan = plan;
  }

  /** Resolves when it says that it is ready. */
  async startUntilReady(side: Side, name: string, { ready, ...program }: ReadyProgram): Promise<Child<never, never>> {
    const child = await this.#start<never, never>({ side, name, ...program });
    this.#running.add(child);
    await child.untilPrinted(ready, START_WITHIN_MS);
    return child;
  }

  /** The crash: it is not missed. */
  async kill(child: Child<never, never>): Promise<void> {
    this.#running.delete(child);
    await child.kill();
  }

  /** @throws Error with what it printed last when one of the programs has ended that was not killed */
  requireAllRunning(): void {
    for (const child of this.#running) if (child.hasEnded) throw new Error(child.describe('ended'));
  }

  /** Sends packets that are not counted until it is told to number them. */
  source(): Promise<Child<ToNumberedSource, FromNumberedSource>> {
    return this.#node('sender', 'numbered-source', [PORTS.source, this.#plan.packetsPerSecond]);
  }

  sink(): Promise<Child<ToNumberedSink, FromNumberedSink>> {
    return this.#node('receiver', 'numbered-sink', [PORTS.sink]);
  }

  async encoder(): Promise<void> {
    const from = `udp://127.0.0.1:${PORTS.source}?rcvbuf=${UDP_BUFFER_BYTES}`;
    await this.#transmit('sender', 'encoder', from, this.#srt(PORTS.encoder, 'mode=caller'));
  }

  async srtServer(): Promise<void> {
    const from = this.#srt(PORTS.server, `mode=listener&lossmaxttl=${REORDER_PACKETS}`);
    await this.#transmit('receiver', 'SRT server', from, `udp://127.0.0.1:${PORTS.sink}`);
  }

  #srt(port: number, options: string): string {
    const { packetsPerSecond, latencyMs } = this.#plan;
    const packets = Math.max(Math.ceil((2 * packetsPerSecond * latencyMs) / 1000), MIN_SRT_PACKETS);
    const bytes = packets * SRT_UNIT_BYTES;
    return `srt://127.0.0.1:${port}?${options}&latency=${latencyMs}&fc=${packets}&rcvbuf=${bytes}&sndbuf=${bytes}`;
  }

  /** Of what is for a UDP port: what leaves, or, over the loopback interface, what comes in (libpcap shows it once). */
  async capture(side: Side, direction: 'in' | 'out', port: number): Promise<Capture> {
    const file = join(this.#folder, `${side}.pcap`);
    const options = `-Q ${direction} -i any -y LINUX_SLL2 -n -B 16384 -Z root -w`;
    const args = [...options.split(' '), file, `udp dst port ${port}`];
    const child = await this.startUntilReady(side, 'tcpdump', { program: 'tcpdump', args, ready: /listening on/ });
    return {
      data: async () => {
        await sleep(CAPTURE_BLOCK_MS);
        this.requireAllRunning();
        this.#running.delete(child);
        await child.stop();
        if (!/^0 packets dropped by kernel/m.test(child.output)) throw new Error(child.describe('has missed packets'));
        return readCapture(file, SRT_HEADER_BYTES + NUMBERED_BYTES);
      },
    };
  }

  async #transmit(side: Side, name: string, from: string, to: string): Promise<void> {
    this.#running.add(await this.#start({ side, name, program: 'srt-live-transmit', args: ['-q', from, to] }));
  }

  #node<In, Out>(side: Side, name: string, numbers: readonly number[]): Promise<Child<In, Out>> {
    const args = [...NODE_FLAGS, join(import.meta.dirname, `${name}-main.ts`), ...numbers.map(String)];
    return this.#start({ side, name, program: process.execPath, args, ipc: true });
  }

  async #start<In, Out>({ side, name, program, args, env = {}, ipc = false }: Start): Promise<Child<In, Out>> {
    const command = this.#network.inside(side, findSystemBinary(program) ?? program, args);
    return this.#stack.use(await Child.start<In, Out>({ name, env, ...command }, ipc));
  }
}
