import { expect, test } from '@jest/globals';
import { summarise } from './compare.ts';
import type { Result } from './result.ts';
import { makeResult } from './result.ts';
import { format, table, worstTable } from './table.ts';

const engine = (name: string, ...measured: Partial<Result>[]) =>
  summarise(
    name,
    measured.map((each) => makeResult({ scenario: 'rtp-echo', engine: name, channels: 1, seconds: 1 }, each)),
  );

test('a row for each engine, of its worst figures', () => {
  const text = worstTable([
    engine(
      'ours, flap',
      { details: { missing: 0, lastNewDataMs: 51.4 } },
      { details: { missing: 2, lastNewDataMs: 43 } },
    ),
    engine('ours, loss', { details: { missing: 0 } }),
    engine('pair, restart', { details: { missing: 0, backAfterMs: Infinity } }),
  ]);
  expect(text.split('\n')).toEqual([
    '               missing  lastNewDataMs  backAfterMs',
    'ours, flap           2           51.4            -',
    'ours, loss           0              -            -',
    'pair, restart        0              -     Infinity',
  ]);
});

test('a row for each figure, and ratios to the peer', () => {
  const text = table([
    engine('ours', { cpuMicrosPerPacket: 6.5, lostPercent: 0, details: { channelsPerSecond: 1712.4 } }),
    engine('bare', { cpuMicrosPerPacket: 5.2, lostPercent: 0 }),
  ]);
  expect(text.split('\n')).toEqual([
    '                    ours  bare  ours/bare',
    'lost, %                0     0          -',
    'CPU per packet, us  6.50  5.20       1.25',
    'channelsPerSecond   1712     -          -',
  ]);
});

test.each([
  [undefined, '-'],
  [0, '0'],
  [0.01234, '0.0123'],
  [99.96, '100'],
  [12_345.6, '12346'],
  [-3.14159, '-3.14'],
])('%p is %s', (value, text) => {
  expect(format(value)).toBe(text);
});
