import { join } from 'node:path';
import { Child } from '../processes.ts';
import type {
  FromSink,
  FromSource,
  SinkResult,
  SourcePlan,
  SourceResult,
  ToSink,
  ToSource,
  TrafficTimes,
} from './srt-plan.ts';

const ANSWER_WITHIN_MS = 30_000;

/** The parent's handle on the process of the encoders. */
export class SourceProcess implements AsyncDisposable {
  readonly #child: Child<ToSource, FromSource>;

  private constructor(child: Child<ToSource, FromSource>) {
    this.#child = child;
  }

  static async start(): Promise<SourceProcess> {
    const script = join(import.meta.dirname, 'srt-source-main.ts');
    return new SourceProcess(await Child.startNode<ToSource, FromSource>(script, { name: 'encoder' }));
  }

  /** Resolves when every SRT session stands. */
  async connect(plan: SourcePlan): Promise<void> {
    const answer = await this.#child.ask({ type: 'connect', plan }, ANSWER_WITHIN_MS);
    if (answer.type !== 'connected') throw unexpected('encoder', answer);
  }

  async send(times: TrafficTimes): Promise<SourceResult> {
    const answer = await this.#child.ask({ type: 'send', times }, durationMs(times) + ANSWER_WITHIN_MS);
    if (answer.type !== 'sent') throw unexpected('encoder', answer);
    return answer.result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.stop();
  }
}

/** The parent's handle on the process of the SRT server. */
export class SinkProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: Child<ToSink, FromSink>;

  private constructor(child: Child<ToSink, FromSink>, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(bonded: boolean): Promise<SinkProcess> {
    const script = join(import.meta.dirname, 'srt-sink-main.ts');
    const child = await Child.startNode<ToSink, FromSink>(script, { name: 'SRT server' });
    try {
      const answer = await child.ask({ type: 'listen', bonded }, ANSWER_WITHIN_MS);
      if (answer.type !== 'listening') throw unexpected('SRT server', answer);
      return new SinkProcess(child, answer.port);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  async count(groups: number, times: TrafficTimes): Promise<SinkResult> {
    const answer = await this.#child.ask({ type: 'count', groups, times }, durationMs(times) + ANSWER_WITHIN_MS);
    if (answer.type !== 'counted') throw unexpected('SRT server', answer);
    return answer.result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.stop();
  }
}

function durationMs({ startUs, endUs }: TrafficTimes): number {
  return (endUs - startUs) / 1000;
}

function unexpected(who: string, answer: FromSource | FromSink): Error {
  return new Error(answer.type === 'failed' ? `${who}: ${answer.message}` : `${who} answered ${answer.type}`);
}
