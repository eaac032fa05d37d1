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
  /** The largest of each figure over all runs. */
  readonly largest: Figures;
  readonly lateRuns: number;
}

export function summarise(engine: string, runs: readonly Result[]): EngineRuns {
  const inTime = runs.filter((run) => !run.generatorLate);
  const counted = (inTime.length > 0 ? inTime : runs).map(figuresOf);
  const largest = reduceEach(runs.map(figuresOf), (values) => Math.max(...values));
  return { engine, runs, median: mediansOf(counted), largest, lateRuns: runs.length - inTime.length };
}

/**
 * What the first engine needs of what the peer needs: the median over the rounds, each of one run of either. What the machine does
 * meanwhile hits both runs of a round, so rounds count even where the generator was late. A figure that is 0 has no ratio.
 */
export function ratios(ours: EngineRuns, peer: EngineRuns): Figures {
  const rounds = ours.runs.map((run, round): Figures => {
    const others = round < peer.runs.length ? figuresOf(peer.runs[round]) : {};
    const entries = Object.entries(figuresOf(run)).flatMap(([name, value]): [string, number][] => {
      const other = others[name];
      return other === undefined || other === 0 ? [] : [[name, value / other]];
    });
    return Object.fromEntries(entries);
  });
  return mediansOf(rounds);
}

function figuresOf(run: Result): Figures {
  const named = Object.entries(FIGURES).map(([name, read]): [string, number | null | undefined] => [name, read(run)]);
  const all = [...named, ...Object.entries(run.details)];
  return Object.fromEntries(all.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function mediansOf(runs: readonly Figures[]): Figures {
  return reduceEach(runs, median);
}

/** One number for each figure, of all its values in the runs that have it. */
function reduceEach(runs: readonly Figures[], reduce: (values: readonly number[]) => number): Figures {
  const names = new Set(runs.flatMap((run) => Object.keys(run)));
  const reduced = [...names].map((name): [string, number] => [
    name,
    reduce(runs.flatMap((run) => (name in run ? [run[name]] : []))),
  ]);
  return Object.fromEntries(reduced);
}

/** @throws RangeError when there is none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
