import { describe, expect, test } from '@jest/globals';
import type { CapturedData } from './capture.ts';
import { backAfterMs, lastNewDataMs } from './figures.ts';

const data = (unixMs: number, by: number, sequence: number, isRetransmission = false): CapturedData => ({
  unixMs,
  interface: by,
  sequence,
  isRetransmission,
});
const times = { begunUnixMs: 990, happenedUnixMs: 1000, endedUnixMs: Infinity };

describe('the last new data on a dead link', () => {
  test('is what no link had carried before', () => {
    const sent = [data(985, 1, 1), data(1010, 1, 2), data(1020, 2, 3), data(1030, 1, 4), data(1040, 2, 5)];
    expect(lastNewDataMs(sent, 1, times)).toBe(40);
    expect(lastNewDataMs(sent, 2, times)).toBe(50);
  });

  test('is neither a copy nor a retransmission', () => {
    expect(lastNewDataMs([data(1010, 2, 2), data(1020, 1, 2), data(1030, 1, 7, true)], 1, times)).toBe(0);
  });

  test('is not what the link carries when it is back', () => {
    const sent = [data(1010, 1, 2), data(4001, 1, 3)];
    expect(lastNewDataMs(sent, 1, { ...times, endedUnixMs: 4000 })).toBe(20);
  });
});

test('a server gets data again when the first has come after the event, counted from its beginning; or never', () => {
  expect(backAfterMs([data(980, 1, 1), data(995, 1, 2), data(2300, 1, 3), data(2301, 1, 4)], times)).toBe(1310);
  expect(backAfterMs([data(995, 1, 2)], times)).toBe(Infinity);
});
