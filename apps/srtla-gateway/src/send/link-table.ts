import type { LinkView, UplinkView } from '../uplinks/view.ts';
import { UNKNOWN, bytes, duration, megabits, milliseconds, percent } from './numbers.ts';

interface Column {
  readonly title: string;
  cell(link: LinkView): string;
  /** Where there is no room for all, those of the highest go first; 0 always stays. */
  readonly dispensable: number;
}

const WINDOW_UNIT = 1000;
const GAP = '  ';

const COLUMNS: readonly Column[] = [
  { title: 'link', cell: ({ settings }) => settings.name, dispensable: 0 },
  { title: 'state', cell: phaseInWords, dispensable: 0 },
  {
    title: 'Mbit/s',
    cell: ({ statistics }) => (statistics === null ? UNKNOWN : megabits(statistics.bitrateBps)),
    dispensable: 0,
  },
  { title: 'RTT', cell: ({ statistics }) => milliseconds(statistics?.rttMs ?? -1), dispensable: 1 },
  { title: 'window', cell: ({ statistics }) => whole((statistics?.window ?? NaN) / WINDOW_UNIT), dispensable: 5 },
  { title: 'in flight', cell: ({ statistics }) => whole(statistics?.inFlightPackets ?? NaN), dispensable: 4 },
  { title: 'NAK', cell: ({ statistics }) => whole(statistics?.naks ?? NaN), dispensable: 3 },
  { title: 'share', cell: ({ share }) => percent(share), dispensable: 2 },
  { title: 'data', cell: dataOf, dispensable: 6 },
];

/** What the table of links shows: never wider than `columns`, for a terminal that would wrap it. */
export function renderUplink(view: UplinkView, columns: number, nowMs: number): string[] {
  return [...header(view, nowMs), '', ...linkRows(view.links, columns), ...problems(view)].map((line) =>
    line.length > columns ? `${line.slice(0, Math.max(columns - 1, 0))}…` : line,
  );
}

function header(view: UplinkView, nowMs: number): string[] {
  const { settings, receiverAddresses, encoder, statistics, bitrateBps, createdMs } = view;
  const where = `${settings.receiverHost}:${settings.receiverPort}`;
  const at = receiverAddresses.length === 0 ? 'not resolved' : receiverAddresses.join(', ');
  const { resent = 0, expired = 0, dropped = 0 } = statistics ?? {};
  return [
    `${megabits(bitrateBps)} Mbit/s to ${where}${at === settings.receiverHost ? '' : ` (${at})`}  ${settings.mode}  ${duration(nowMs - createdMs)}`,
    encoder === null
      ? 'no encoder'
      : `encoder ${encoder.address}  latency ${encoder.latencyMs} ms  resent ${resent}  too late ${expired}  dropped ${dropped}`,
  ];
}

export function linkRows(links: readonly LinkView[], columns: number): string[] {
  if (links.length === 0) return ['no links'];
  let shown = COLUMNS.map((column) => {
    const cells = [column.title, ...links.map(column.cell)];
    return { cells, dispensable: column.dispensable, width: Math.max(...cells.map((cell) => cell.length)) };
  });
  const width = (): number => shown.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
  for (let drop = COLUMNS.length; drop > 0 && width() > columns; drop -= 1) {
    shown = shown.filter(({ dispensable }) => dispensable !== drop);
  }
  return Array.from({ length: links.length + 1 }, (_, row) =>
    // Words flush left, numbers flush right.
    shown
      .map(({ cells, width }, i) => (i < 2 ? cells[row].padEnd(width) : cells[row].padStart(width)))
      .join(GAP)
      .trimEnd(),
  );
}

function problems({ problem, links }: UplinkView): string[] {
  const own = problem === '' ? [] : [`! ${problem}`];
  return [
    ...own,
    ...links.flatMap((link) => (link.problem === '' ? [] : [`! ${link.settings.name}: ${link.problem}`])),
  ];
}

export function phaseInWords({ phase, statistics }: LinkView): string {
  if (phase === 'weak') return `weak (${statistics?.weak ?? ''})`;
  return phase === 'no-socket' ? 'waits' : phase;
}

function dataOf({ usedBytes, settings: { capBytes } }: LinkView): string {
  return capBytes === 0 ? bytes(usedBytes) : `${bytes(usedBytes)} of ${bytes(capBytes)}`;
}

function whole(value: number): string {
  return Number.isNaN(value) ? UNKNOWN : String(Math.floor(value));
}
