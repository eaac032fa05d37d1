import type { EngineKind } from '../engines/engine.ts';
import type { Result } from '../report/result.ts';

export interface ScenarioOptions {
  readonly channels: number;
  readonly seconds: number;
  readonly threads: number;
  /** Says what is being done, for somebody who waits. */
  readonly progress: (text: string) => void;
}

/** One run of one engine, from its start to its end. */
export type Scenario = (kind: EngineKind, options: ScenarioOptions) => Promise<Result>;
