import { join } from 'node:path';
import { Child } from '../processes.ts';
import type { FloodPlan, FloodResult, FromGenerator, ToGenerator, TrafficPlan, TrafficResult } from './plan.ts';

const SCRIPT = join(import.meta.dirname, 'main.ts');
const ANSWER_WITHIN_MS = 20_000;

/** The parent's handle on a generator process. */
export class Generator implements AsyncDisposable {
  readonly #child: Child<ToGenerator, FromGenerator>;

  private constructor(child: Child<ToGenerator, FromGenerator>) {
    this.#child = child;
  }

  static async start(name = 'generator'): Promise<Generator> {
    return new Generator(await Child.startNode<ToGenerator, FromGenerator>(SCRIPT, { name }));
  }

  /** Opens sockets on the loopback interface; returns their ports. */
  async open(sockets: number): Promise<readonly number[]> {
    const answer = await this.#ask({ type: 'open', sockets }, ANSWER_WITHIN_MS);
    if (answer.type !== 'opened') throw unexpected(answer);
    return answer.ports;
  }

  /** Resolves when the plan's end has passed and the packets under way have come back. */
  async traffic(plan: TrafficPlan): Promise<TrafficResult> {
    const answer = await this.#ask({ type: 'traffic', plan }, durationMs(plan) + ANSWER_WITHIN_MS);
    if (answer.type !== 'traffic') throw unexpected(answer);
    return answer.result;
  }

  async flood(plan: FloodPlan): Promise<FloodResult> {
    const answer = await this.#ask({ type: 'flood', plan }, durationMs(plan) + ANSWER_WITHIN_MS);
    if (answer.type !== 'flood') throw unexpected(answer);
    return answer.result;
  }

  #ask(order: ToGenerator, timeoutMs: number): Promise<FromGenerator> {
    return this.#child.ask(order, timeoutMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.stop();
  }
}

function durationMs(plan: { readonly startUs: number; readonly endUs: number }): number {
  return (plan.endUs - plan.startUs) / 1000;
}

function unexpected(answer: FromGenerator): Error {
  return new Error(answer.type === 'failed' ? `generator: ${answer.message}` : `generator answered ${answer.type}`);
}
