import { randomUUID } from 'node:crypto';
import { findSystemBinary, freePort } from '@mediaplane/testkit';
import { Child } from '../processes.ts';
import type { Engine, EngineKind, EngineMemory, EngineMode, EngineOptions, Phones } from './engine.ts';
import { inParallel, pairs } from './in-parallel.ts';
import { NgClient } from './ng-client.ts';
import { audioPort, phoneSdp } from './sdp.ts';

const CALLS_AT_ONCE = 16;
const PORT_MIN = 10_000;
const PORT_MAX = 29_999;

/** Debian's rtpengine in user space (no kernel table), unprivileged, one call for two channels. */
export const rtpengine: EngineKind = {
  name: 'rtpengine',
  modes: ['idle', 'relay'],
  unavailable: () =>
    findSystemBinary('rtpengine') === null
      ? 'rtpengine is not on this machine (Debian: apt-get install --no-install-recommends rtpengine-daemon)'
      : null,
  start: (options) => RtpengineProcess.start(options),
};

interface Call {
  readonly callId: string;
  readonly fromTag: string;
}

class RtpengineProcess implements Engine {
  readonly #child: Child<never, never>;
  readonly #ng: NgClient;
  #calls: Call[] = [];

  private constructor(child: Child<never, never>, ng: NgClient) {
    this.#child = child;
    this.#ng = ng;
  }

  static async start({ threads }: EngineOptions): Promise<RtpengineProcess> {
    const program = findSystemBinary('rtpengine');
    if (program === null) throw new Error(rtpengine.unavailable() ?? 'rtpengine vanished');
    const port = await freePort();
    const child = await Child.start<never, never>({
      name: 'rtpengine',
      program,
      args: [
        '--config-file=none',
        '--table=-1',
        '--interface=127.0.0.1',
        `--listen-ng=127.0.0.1:${port}`,
        `--port-min=${PORT_MIN}`,
        `--port-max=${PORT_MAX}`,
        '--foreground',
        '--log-stderr',
        '--log-level=4',
        `--num-threads=${threads}`,
      ],
    });
    const engine = new RtpengineProcess(child, new NgClient(port));
    try {
      await engine.#ng.request('ping');
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw new Error(child.describe('did not start'), { cause: error });
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  async open(mode: EngineMode, { rtpPorts }: Phones): Promise<readonly number[]> {
    if (mode === 'echo') throw new Error('rtpengine has no echo');
    const ports = await inParallel(pairs(rtpPorts), CALLS_AT_ONCE, ([a, b]) => this.#openCall(a, b));
    return ports.flat();
  }

  /** Ports that phones A and B send to. A fresh call id each: deleted calls linger under theirs. */
  async #openCall(portOfA: number, portOfB: number): Promise<readonly [number, number]> {
    const call = { callId: randomUUID(), fromTag: randomUUID() };
    const common = { 'call-id': call.callId, 'from-tag': call.fromTag, replace: ['origin'] };
    const offer = await this.#ng.request('offer', { ...common, sdp: phoneSdp(portOfA) });
    const answer = await this.#ng.request('answer', { ...common, 'to-tag': randomUUID(), sdp: phoneSdp(portOfB) });
    this.#calls.push(call);
    // What it rewrites for B's eyes is where B sends to, and the other way round.
    return [audioPort(String(answer['sdp'])), audioPort(String(offer['sdp']))];
  }

  async closeAll(): Promise<void> {
    const calls = this.#calls;
    this.#calls = [];
    await inParallel(calls, CALLS_AT_ONCE, ({ callId, fromTag }) =>
      this.#ng.request('delete', { 'call-id': callId, 'from-tag': fromTag, 'delete-delay': 0 }),
    );
  }

  /** It has neither a collected heap nor a way to ask. */
  async memory(): Promise<EngineMemory> {
    return { heapBytes: null, externalBytes: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ng[Symbol.dispose]();
    await this.#child.stop();
  }
}
