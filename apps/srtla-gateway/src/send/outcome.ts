import type { UplinkView } from '../uplinks/view.ts';

/** What a script learns from the exit status; `--help` tells it to people. */
export const ExitCode = { worked: 0, usage: 1, failed: 2, neverUp: 3, lost: 4 } as const;

export interface Outcome {
  readonly code: (typeof ExitCode)[keyof typeof ExitCode];
  readonly reason: string;
}

export interface OutcomeOptions {
  /** 0: for ever. */
  readonly registerTimeoutMs: number;
  /** 0: never. */
  readonly giveUpMs: number;
}

/** Judges when to end, and as what. Times are of any one clock. */
export class OutcomeWatch {
  readonly #options: OutcomeOptions;
  /** Before the first link was up: since the start. */
  #downSinceMs: number;
  #hasWorked = false;

  constructor(options: OutcomeOptions, nowMs: number) {
    this.#options = options;
    this.#downSinceMs = nowMs;
  }

  onLinkUp(): void {
    this.#hasWorked = true;
  }

  /** Returns why to end; null while there is no reason. */
  onStatistics({ links }: UplinkView, nowMs: number): Outcome | null {
    if (links.some(({ statistics }) => statistics?.state === 'live')) {
      this.#hasWorked = true;
      this.#downSinceMs = nowMs;
    }
    const { registerTimeoutMs, giveUpMs } = this.#options;
    const patienceMs = this.#hasWorked ? giveUpMs : registerTimeoutMs;
    if (patienceMs === 0 || nowMs - this.#downSinceMs < patienceMs) return null;
    const forSeconds = `for ${patienceMs / 1000} s`;
    return this.#hasWorked
      ? { code: ExitCode.lost, reason: `all links were down ${forSeconds}` }
      : { code: ExitCode.neverUp, reason: `no link came up ${forSeconds}` };
  }

  onSignal(signal: string): Outcome {
    if (this.#hasWorked) return { code: ExitCode.worked, reason: signal };
    return { code: ExitCode.neverUp, reason: `${signal}, before any link was up` };
  }
}
