import type { Check } from './checks.ts';
import { renderChecks } from './call-report.ts';
import type { BondedLinkFacts, BondingFacts } from './facts.ts';
import { count, milliseconds, percent, seconds } from './numbers.ts';
import { fields, table } from './table.ts';

/** The report of the bonded stream, as lines. */
export function renderBonding(facts: BondingFacts, checks: readonly Check[]): string[] {
  const { latency, srtLatencyMs, resentByFailover, resentBySrt, duplicates, packetsPerSecond } = facts;
  const delay = latency.count === 0 ? undefined : latency;
  return [
    `The bonded stream, ${seconds(facts.durationMs)}`,
    '',
    ...linkTable(facts.links),
    '',
    ...fields([
      [
        'packets',
        `${count(facts.sent)} sent, ${count(facts.played)} played in order, ${count(facts.tooLate)} of them too late`,
      ],
      [
        'sent again',
        `${count(resentByFailover)} by failover, ${count(resentBySrt)} because SRT asked; ${count(duplicates)} came twice`,
      ],
      [
        'added latency',
        `p50 ${milliseconds(delay?.p50Ms)}, p99 ${milliseconds(delay?.p99Ms)}; SRT plays after ${srtLatencyMs} ms`,
      ],
      [
        'CPU',
        `${facts.cpuMicrosPerPacket.toFixed(1)} µs a packet, uplink and listener together, at ${count(packetsPerSecond)} packets/s`,
      ],
      ['', 'much of it to wake up for each packet by itself; `npm run loadtest -- srtla-bonded` tells of load'],
    ]),
    '',
    ...renderChecks(checks),
  ];
}

/** One column for each link; the first is the one that died. */
export function linkTable(links: readonly BondedLinkFacts[]): string[] {
  const [dead] = links;
  const row = (name: string, cell: (link: BondedLinkFacts) => string): string[] => [name, ...links.map(cell)];
  const share = (of: (link: BondedLinkFacts) => number) => {
    const total = links.reduce((sum, link) => sum + of(link), 0);
    return (link: BondedLinkFacts): string => percent(total === 0 ? undefined : of(link) / total);
  };
  const before = ({ packetsBefore }: BondedLinkFacts): number => packetsBefore;
  const after = ({ packetsAfter }: BondedLinkFacts): number => packetsAfter;
  return table(
    [
      row('', ({ name }) => name),
      row('packets while both lived', (link) => count(before(link))),
      row('  share', share(before)),
      row(`packets after ${dead.name} died`, (link) => count(after(link))),
      row('  share', share(after)),
      row('round trip', ({ rttMs }) => milliseconds(rttMs)),
      row('at the end', ({ state }) => state),
    ],
    'right',
  );
}
