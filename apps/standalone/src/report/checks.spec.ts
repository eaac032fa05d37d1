import { describe, expect, test } from '@jest/globals';
import { goodCall, goodLeg, goodRecording } from '../../test/support/example-facts.ts';
import { judgeCall } from './checks.ts';
import type { CallFacts } from './facts.ts';

const failures = (facts: CallFacts): string[] =>
  judgeCall(facts)
    .filter(({ ok }) => !ok)
    .map(({ line }) => line);

test('a good call passes every check', () => {
  expect(failures(goodCall())).toEqual([]);
});

describe('what is wrong is named, and nothing else', () => {
  const [a, b] = goodCall().legs;
  const [first, second] = goodCall().recordings;
  test.each<[string, Partial<CallFacts>, RegExp]>([
    [
      'speech that did not arrive',
      { hearing: { promptByA: 1, aByB: 0.4, bByA: 1 } },
      /^phone B heard what A said \(40\.0 %/,
    ],
    [
      'a prompt that did not play',
      { hearing: { promptByA: 0, aByB: 1, bByA: 1 } },
      /^phone A heard the prompt \(0\.0 %/,
    ],
    ['a digit that the other phone missed', { legs: [a, { ...b, digitsHeard: '1#' }] }, /^digits 15# .* heard "1#"/],
    ['a digit without an event', { legs: [{ ...a, digitsReported: '' }, b] }, /^digits 15# .* reported ""/],
    ['a gap', { legs: [{ ...a, lostOut: 2 }, b] }, /^2 of 1400 packets lost$/],
    [
      'a loss at the end, which leaves no gap',
      { legs: [a, { ...b, channelReceived: 349 }] },
      /^1 of 1400 packets lost$/,
    ],
    [
      'a relay that waits',
      { legs: [{ ...a, latency: { count: 200, p50Ms: 40, p99Ms: 60 } }, b] },
      /within 40\.00 and 0\.25 ms$/,
    ],
    [
      'latency that nobody could measure',
      { legs: [a, { ...b, latency: { count: 3, p50Ms: 0.1, p99Ms: 0.1 } }] },
      /passed on at once/,
    ],
    ['a bad score', { legs: [a, { ...b, mos: 3.2 }] }, /MOS at least 4/],
    ['RTCP one way only', { legs: [{ ...a, phoneRoundTripMs: undefined }, b] }, /^RTCP went both ways/],
    [
      'a recording that failed',
      { recordings: [{ ...first, problem: 'disk full' }, second] },
      /^recording of leg A: disk full$/,
    ],
    [
      'a silent track',
      { recordings: [first, goodRecording('B', { rmsDbfs: Number.NEGATIVE_INFINITY })] },
      /^recording of leg B: the track "left" is as good as silent, silence$/,
    ],
    [
      'a track of something else',
      { recordings: [goodRecording('A', { speech: 0.5 }), second] },
      /only 50\.0 % what was said$/,
    ],
    ['an event that never came', { events: { seen: [['opened', 2]], missing: 0 } }, /did not come: bridged, .*closed$/],
    ['a gap in the events', { events: { ...goodCall().events, missing: 1 } }, /^1 events are missing/],
  ])('%s', (_, change, line) => {
    expect(failures({ ...goodCall(), ...change })).toEqual([expect.stringMatching(line)]);
  });
});

test('round trips of zero are known, not missing', () => {
  const [, b] = goodCall().legs;
  const facts = { ...goodCall(), legs: [goodLeg('A', { channelRoundTripMs: 0, phoneRoundTripMs: 0 }), b] };
  expect(failures(facts)).toEqual([]);
});
