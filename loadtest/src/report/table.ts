import type { EngineRuns, Figures } from './compare.ts';
import { ratios } from './compare.ts';

/** Names of figures for people, in the order in which they are shown; the rest follow under their own. */
const LABELS: Readonly<Record<string, string>> = {
  lostPercent: 'lost, %',
  latencyP50Ms: 'latency p50, ms',
  latencyP99Ms: 'latency p99, ms',
  cpuPercentOfCore: 'CPU, % of a core',
  cpuPercentAboveEmpty: 'CPU above the empty process, %',
  cpuMicrosPerPacket: 'CPU per packet, us',
  rssPerChannelBytes: 'RSS per channel, bytes',
  heapPerChannelBytes: 'heap per channel, bytes',
  externalPerChannelBytes: 'external per channel, bytes',
  kernelSocketsPerChannelBytes: 'kernel sockets per channel, bytes',
};

/** A table of medians: a row for each figure, a column for each engine, and the first engine's ratio to each of the others. */
export function table(engines: readonly EngineRuns[]): string {
  const [first, ...peers] = engines;
  const known = new Set(engines.flatMap(({ median }) => Object.keys(median)));
  const names = [
    ...Object.keys(LABELS).filter((name) => known.has(name)),
    ...[...known].filter((name) => !(name in LABELS)),
  ];
  const peerRatios = peers.map((peer): [string, Figures] => [`${first.engine}/${peer.engine}`, ratios(first, peer)]);
  const header = ['', ...engines.map(({ engine }) => engine), ...peerRatios.map(([title]) => title)];
  const rows = names.map((name) => [
    LABELS[name] ?? name,
    ...engines.map(({ median }) => format(median[name])),
    ...peerRatios.map(([, values]) => format(values[name])),
  ]);
  return align([header, ...rows]);
}

/** A table of the worst of each figure, where that is the largest: a row for each engine, a column for each figure. */
export function worstTable(engines: readonly EngineRuns[]): string {
  const names = [...new Set(engines.flatMap(({ largest }) => Object.keys(largest)))];
  const header = ['', ...names.map((name) => LABELS[name] ?? name)];
  return align([
    header,
    ...engines.map(({ engine, largest }) => [engine, ...names.map((name) => format(largest[name]))]),
  ]);
}

/** Three significant digits, whole numbers from 100 on; '-' for what was not measured. */
export function format(value: number | undefined): string {
  if (value === undefined) return '-';
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toPrecision(3);
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column] + 2)))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}
