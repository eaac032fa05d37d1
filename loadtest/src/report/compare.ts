import type { Result } from './result.ts';

/** What comparisons are made of: each a number where the scenario measures it, smaller is better unless the name says otherwise. */
const FIGURES: Readonly<Record<string, (result: Result) => number | null | undefined>> = {
  lostPercent: (result) => result.lostPercent,
  latencyP50Ms: (result) => result.latencyMs?.p50,
  latencyP99Ms: (result) => result.latencyMs?.p99,
  cpuPercentOfCore: (result) => result.cpuPercentOfCore?.total,
  cpuPercentAboveEmpty: (result) => result.cpuPercentOfCore?.aboveEmpty,
  cpuMicrosPerPacket: (result) => result.cpuMicrosPerPacket,
  rssPerChannelBytes: (result) => result.rssPerChannelBytes,
  heapPerChannelBytes: (result) => result.perChannelBytes?.heap,
  externalPerChannelBytes: (result) => result.perChannelBytes?.external,
  kernelSocketsPerChannelBytes: (result) => result.perChannelBytes?.kernelSockets,
};

export type Figures = Readonly<Record<string, number>>;

/** All runs of one engine. */
export interface EngineRuns {
  readonly engine: string;
  readonly runs: readonly Result[];
  /** Median of each figure over the runs whose generator was in time; over all if none was. */
  readonly median: Figures;
  readonly lateRuns: number;
}

export function summarise(engine: string, runs: readonly Result[]): EngineRuns {
  const inTime = runs.filter((run) => !run.generatorLate);
  const counted = inTime.length > 0 ? inTime : runs;
  const names = [...new Set([...Object.keys(FIGURES), ...counted.flatMap((run) => Object.keys(run.details))])];
  const medians = names.flatMap((name): [string, number][] => {
    const values = counted.map((run) => (FIGURES[name] ?? ((result: Result) => result.details[name]))(run));
    const known = values.filter((value): value is number => typeof value === 'number');
    return known.length === 0 ? [] : [[name, median(known)]];
  });
  return { engine, runs, median: Object.fromEntries(medians), lateRuns: runs.length - inTime.length };
}

/** The first engine's medians over the peer's; a figure that is 0 there has no ratio. */
export function ratios(ours: EngineRuns, peer: EngineRuns): Figures {
  const entries = Object.entries(ours.median).flatMap(([name, value]): [string, number][] => {
    const other = peer.median[name];
    return other === undefined || other === 0 ? [] : [[name, value / other]];
  });
  return Object.fromEntries(entries);
}

/** @throws RangeError when there is none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
