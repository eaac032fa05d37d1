import { expect, test } from '@jest/globals';
import { goodBonding } from '../../test/support/example-facts.ts';
import { linkTable, renderBonding } from './bonding-report.ts';

test('the table has a column for each link, and shares of what all carried', () => {
  const [dead, other] = goodBonding().links;
  const cells = linkTable([{ ...dead, rttMs: undefined }, other]).map((line) => line.trim().split(/ {2,}/));
  expect(cells).toEqual([
    ['modem-1', 'modem-2'],
    ['packets while both lived', '900', '900'],
    ['share', '50 %', '50 %'],
    ['packets after modem-1 died', '21', '2,100'],
    ['share', '1 %', '99 %'],
    ['round trip', '–', '0.40 ms'],
    ['at the end', 'suspect', 'up'],
  ]);
});

test('shares of nothing are unknown', () => {
  const links = goodBonding().links.map((link) => ({ ...link, packetsBefore: 0 }));
  expect(linkTable(links)[2].trim().split(/ {2,}/)).toEqual(['share', '–', '–']);
});

test('the whole report fits a terminal and tells what was lost, sent again, and how long it took', () => {
  const lines = renderBonding(goodBonding(), [{ ok: true, line: 'well' }]);
  const text = lines.join('\n');
  for (const part of [
    'The bonded stream, 7.1 s',
    '3,900 sent, 3,900 played in order, 0 of them too late',
    '8 by failover, 12 because SRT asked; 1 came twice',
    'p50 0.30 ms, p99 4.00 ms; SRT plays after 500 ms',
    '30.0 µs a packet',
    '✓ well',
  ]) {
    expect(text).toContain(part);
  }
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
  const unknown = { ...goodBonding(), latency: { count: 0, p50Ms: 0, p99Ms: 0 } };
  expect(renderBonding(unknown, []).join('\n')).toContain('p50 –, p99 –');
});
