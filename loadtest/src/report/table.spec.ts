import { expect, test } from '@jest/globals';
import { summarise } from './compare.ts';
import type { Result } from './result.ts';
import { makeResult } from './result.ts';
import { format, table } from './table.ts';

test('a row for each figure, and ratios to the peer', () => {
  const engine = (name: string, measured: Partial<Result>) =>
    summarise(name, [makeResult({ scenario: 'rtp-echo', engine: name, channels: 1, seconds: 1 }, measured)]);
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
