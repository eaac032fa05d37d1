import { setTimeout as sleep } from 'node:timers/promises';
import { processCpuSeconds } from './proc.ts';

/** Share of one core, in percent, that a process uses from now on for `ms`. */
export async function cpuPercentDuring(pid: number, ms: number): Promise<number> {
  const meter = new CpuMeter(pid);
  await sleep(ms);
  return meter.read().percentOfCore;
}

/** CPU of a process since the meter was made. */
export class CpuMeter {
  readonly #pid: number;
  readonly #startSeconds: number;
  readonly #startMs = performance.now();

  constructor(pid: number) {
    this.#pid = pid;
    this.#startSeconds = processCpuSeconds(pid);
  }

  read(): { readonly seconds: number; readonly percentOfCore: number } {
    const seconds = processCpuSeconds(this.#pid) - this.#startSeconds;
    return { seconds, percentOfCore: (seconds / (performance.now() - this.#startMs)) * 100_000 };
  }
}
