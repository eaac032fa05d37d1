import { progressBar } from './report/numbers.ts';

export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const BAR_COLUMNS = 30;
const REFRESH_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

/** What is going on and how far it is: a line for each step, and on a terminal a bar that moves below them. */
export class Progress implements Disposable {
  private readonly out: ProgressOutput;
  private readonly expectedMs: number;
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(out: ProgressOutput, expectedMs: number) {
    this.out = out;
    this.expectedMs = expectedMs;
    if (out.isTTY === true) this.timer = setInterval(() => this.drawBar(), REFRESH_MS);
  }

  get elapsedMs(): number {
    return performance.now() - this.startedMs;
  }

  step(text: string): void {
    const at = `${(this.elapsedMs / 1000).toFixed(1)} s`.padStart(8);
    this.out.write(`${this.timer === undefined ? '' : CLEAR_LINE}${at}  ${text}\n`);
    if (this.timer !== undefined) this.drawBar();
  }

  /** Takes the bar away. Idempotent. */
  [Symbol.dispose](): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.out.write(CLEAR_LINE);
  }

  private drawBar(): void {
    this.out.write(`\r          ${progressBar(this.elapsedMs / this.expectedMs, BAR_COLUMNS)}`);
  }
}
