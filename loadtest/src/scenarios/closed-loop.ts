import { Histogram } from '../measure/histogram.ts';

export interface LoopResult {
  readonly latency: Histogram;
  readonly count: number;
  readonly seconds: number;
}

/** Runs `work` over and over in `lanes` lanes, each waiting for its last, for `seconds`. Rejects with the first failure. */
export async function closedLoop(lanes: number, seconds: number, work: () => Promise<void>): Promise<LoopResult> {
  const latency = new Histogram();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const lane = async (): Promise<void> => {
    for (let fromMs = performance.now(); fromMs < endMs;) {
      await work();
      const toMs = performance.now();
      latency.record((toMs - fromMs) * 1000);
      fromMs = toMs;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { latency, count: latency.count, seconds: (performance.now() - startMs) / 1000 };
}
