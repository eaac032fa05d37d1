import { expect, test } from '@jest/globals';
import { goodCall, goodLeg, goodRecording } from '../../test/support/example-facts.ts';
import { legTable, renderCall, renderChecks, renderRecording } from './call-report.ts';

test('the table has a column for each leg, and dashes for what is not known', () => {
  const silent = goodLeg('B', {
    mos: undefined,
    channelRoundTripMs: undefined,
    digitsHeard: '',
    latency: { count: 0, p50Ms: 0, p99Ms: 0 },
  });
  const lines = legTable([goodLeg('A'), silent]);
  const cells = lines.map((line) => line.trim().split(/ {2,}/));
  expect(cells).toEqual(
    expect.arrayContaining([
      ['phone A', 'phone B'],
      ['packets it sent', '350', '350'],
      ['jitter', '0.13 ms', '0.13 ms'],
      ['added latency, p99', '1.50 ms', '–'],
      ['MOS', '4.41', '–'],
      ['round trip (RTCP)', '0.50 ms', '–'],
      ['digits heard', '42*', '–'],
    ]),
  );
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

test('a recording shows its length, levels and envelope for each track', () => {
  expect(renderRecording(goodRecording('A', { rmsDbfs: Number.NEGATIVE_INFINITY }))).toEqual([
    '  recordings/call/leg-A.wav   7.5 s, 8 kHz, 240 kB',
    '    L  left     ▃█▃   silence (peak -6.0 dBFS)',
    '    R  right    ▃█▃   -25.0 dBFS (peak -6.0 dBFS)',
  ]);
});

test('a recording that failed says why', () => {
  expect(renderRecording({ ...goodRecording('B'), problem: 'no space' })).toEqual(['  leg B: no space']);
});

test('checks are marked', () => {
  const checks = [
    { ok: true, line: 'well' },
    { ok: false, line: 'ill' },
  ];
  expect(renderChecks(checks)).toEqual(['  ✓ well', '  ✗ ill']);
});

test('the whole report fits a terminal and holds every part', () => {
  const capacity = {
    channels: 96,
    packets: 5760,
    lost: 0,
    cpuMicrosPerPacket: 14,
    mediaThreads: 1,
    cores: 2,
    sessionLimit: 5000,
  };
  const text = renderCall(goodCall(), [{ ok: true, line: 'well' }], capacity).join('\n');
  for (const part of ['The call, 7.6 s', 'Recordings', 'Events', 'opened ×2', 'Capacity', 'about 1,000 channels']) {
    expect(text).toContain(part);
  }
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});
