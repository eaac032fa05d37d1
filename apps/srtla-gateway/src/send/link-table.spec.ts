import { describe, expect, test } from '@jest/globals';
import { linkRows, renderUplink } from './link-table.ts';
import { viewOf } from './spec-view.ts';

const LINKS = [
  { bitrateBps: 4_012_000, rttMs: 34.6, window: 21_500, inFlightPackets: 12, naks: 3 },
  { bitrateBps: 12_900_000, rttMs: -1, window: 1000, inFlightPackets: 0, naks: 1200 },
];

describe('the table of links', () => {
  test('shows what each link does', () => {
    expect(linkRows(viewOf(LINKS, { usedBytes: 2.5e9 }).links, 120)).toEqual([
      'link   state  Mbit/s    RTT  window  in flight   NAK  share     data',
      'link0  up       4.01  35 ms      21         12     3   50 %  2.50 GB',
      'link1  up      12.90      -       1          0  1200   50 %  2.50 GB',
    ]);
  });

  test('has fewer columns where there is less room: the state and the rate stay', () => {
    const { links } = viewOf(LINKS);
    const titles = (columns: number): string => linkRows(links, columns)[0].replace(/ +/g, ' ');
    expect(titles(61)).toBe('link state Mbit/s RTT window in flight NAK share');
    expect(titles(50)).toBe('link state Mbit/s RTT NAK share');
    expect(titles(30)).toBe('link state Mbit/s RTT');
    expect(titles(10)).toBe('link state Mbit/s');
  });

  test('says why a link is of no use', () => {
    const view = viewOf([{}], { phase: 'no-socket', problem: 'there is no network interface wwan0', statistics: null });
    expect(renderUplink(view, 80, 3_725_000)).toEqual([
      '0.00 Mbit/s to receiver.test:5000 (203.0.113.5)  enhanced  01:02:05',
      'no encoder',
      '',
      'link   state  Mbit/s  RTT  window  in flight  NAK  share  data',
      'link0  waits       -    -       -          -    -   50 %  0 kB',
      '! link0: there is no network interface wwan0',
    ]);
  });

  test.each([1, 7, 20, 40, 200])('is never wider than a terminal of %i columns', (columns) => {
    const view = { ...viewOf(LINKS, { phase: 'weak', problem: 'x'.repeat(300) }), problem: 'y'.repeat(300) };
    for (const line of renderUplink(view, columns, 0)) expect(line.length).toBeLessThanOrEqual(columns);
  });
});
