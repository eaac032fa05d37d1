import { join } from 'node:path';
import { Child } from '../processes.ts';
import type { FromBareEngine, ToBareEngine } from './bare-protocol.ts';
import type { Engine, EngineKind, EngineMemory, EngineMode, EngineOptions, Phones } from './engine.ts';

const SCRIPT = join(import.meta.dirname, 'bare-engine.ts');
const TIMEOUT_MS = 20_000;
/** The default of rtp-channel's `net.latencyBudgetUs`. */
export const LATENCY_BUDGET_US = 750;

/** A loop on libs/net with no protocol work; always one thread. */
function bare(name: string, latencyBudgetUs: number): EngineKind {
  return {
    name,
    modes: ['idle', 'echo', 'relay'],
    unavailable: () => null,
    start: (options) => BareProcess.start(name, latencyBudgetUs, options),
  };
}

/** Coalesces wake-ups as the media threads of rtp-channel do by default. */
export const bareCoalescing = bare('bare', LATENCY_BUDGET_US);
/** Wakes up for every datagram. */
export const bareImmediate = bare('bare-immediate', 0);

class BareProcess implements Engine {
  readonly #child: Child<ToBareEngine, FromBareEngine>;

  private constructor(child: Child<ToBareEngine, FromBareEngine>) {
    this.#child = child;
  }

  static async start(name: string, latencyBudgetUs: number, options: EngineOptions): Promise<BareProcess> {
    const child = await Child.startNode<ToBareEngine, FromBareEngine>(SCRIPT, {
      name,
      args: [String(latencyBudgetUs)],
      flags: options.memoryProbe ? ['--expose-gc'] : [],
    });
    await child.ask(null, TIMEOUT_MS);
    return new BareProcess(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async open(mode: EngineMode, { rtpPorts: remotePorts }: Phones): Promise<readonly number[]> {
    return (await this.#ask({ type: 'open', mode, remotePorts }, 'opened')).ports;
  }

  async closeAll(): Promise<void> {
    await this.#ask({ type: 'closeAll' }, 'closed');
  }

  memory(): Promise<EngineMemory> {
    return this.#ask({ type: 'memory' }, 'memory');
  }

  async #ask<T extends FromBareEngine['type']>(
    order: ToBareEngine,
    expected: T,
  ): Promise<Extract<FromBareEngine, { type: T }>> {
    const answer = await this.#child.ask(order, TIMEOUT_MS);
    if (isOfType(answer, expected)) return answer;
    throw new Error(
      answer.type === 'failed' ? `bare engine: ${answer.message}` : `bare engine answered ${answer.type}`,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.stop();
  }
}

function isOfType<T extends FromBareEngine['type']>(
  answer: FromBareEngine,
  type: T,
): answer is Extract<FromBareEngine, { type: T }> {
  return answer.type === type;
}
