import { describe, expect, test } from '@jest/globals';
import { LINK_DEFAULTS } from '../link-settings.ts';
import { SenderLink } from '../link.ts';
import type { WeakReason } from '../sender-parts.ts';
import { WeakLinks } from './weak-links.ts';

interface Figures {
  readonly rttMs: number;
  readonly bps: number;
  readonly estimateBps?: number;
  readonly window?: number;
}

const LATENCY_MS = 1000;

function classifier(...figures: Figures[]) {
  const weakLinks = new WeakLinks();
  const links = figures.map(({ rttMs, bps, estimateBps = 10e6, window = 30_000 }, index) => {
    const link = new SenderLink(index, LINK_DEFAULTS);
    for (let i = 0; i < 40; i += 1) link.rtt.add(rttMs);
    link.meter.bitrateBps = bps;
    link.rate.bps = estimateBps;
    link.window = window;
    return link;
  });
  const reasons: (WeakReason | null)[] = [];
  const tick = (latencyMs = LATENCY_MS): (WeakReason | null)[] => {
    weakLinks.reasonsOf(links, latencyMs, reasons);
    for (const link of links) link.weak = reasons[link.index];
    return [...reasons];
  };
  return { links, tick };
}

const GOOD = { rttMs: 40, bps: 3e6 };

describe('a link is weak', () => {
  test('not if it is like the others', () => {
    expect(classifier(GOOD, GOOD, GOOD).tick()).toEqual([null, null, null]);
  });

  test('by a round trip above the tier that holds the stream', () => {
    expect(classifier(GOOD, { rttMs: 800, bps: 0.3e6 }, GOOD).tick()).toEqual([null, null, null]);
    expect(classifier(GOOD, { rttMs: 2600, bps: 0.3e6 }, GOOD).tick(5000)).toEqual([null, 'rtt', null]);
  });

  test('by a round trip above the latency, even where it is needed', () => {
    expect(classifier({ ...GOOD, estimateBps: 1e6 }, { rttMs: 1200, bps: 3e6 }).tick()).toEqual([null, 'rtt']);
  });

  test('by a queue that builds for two seconds, unless the others cannot carry its part', () => {
    for (const [estimateBps, reason] of [
      [10e6, 'queue'],
      [4e6, null],
    ] as const) {
      const { links, tick } = classifier({ ...GOOD, estimateBps }, GOOD);
      for (let i = 0; i < 30; i += 1) links[1].rtt.add(90);
      expect([tick()[1], tick()[1]]).toEqual([null, reason]);
    }
  });

  test('by a small share of the stream, if it has lost; after a while it is tried again', () => {
    expect(classifier(GOOD, { rttMs: 40, bps: 0.2e6 }).tick()).toEqual([null, null]);
    const { tick } = classifier(GOOD, { rttMs: 40, bps: 0.2e6, window: 3000 });
    const told = Array.from({ length: 40 }, () => tick()[1]);
    expect(told.slice(0, 15)).toEqual(new Array<string>(15).fill('share'));
    expect(told.slice(15, 19)).toEqual([null, null, null, null]);
    expect(told[19]).toBe('share');
  });

  test('by losing more than it delivers, for four seconds, until it loses less than a quarter', () => {
    const { links, tick } = classifier(GOOD, GOOD);
    const second = (lost: number): WeakReason | null => {
      links[1].losses.tick(100, lost);
      return tick()[1];
    };
    const told = Array.from({ length: 8 }, () => second(90));
    expect(told.indexOf('loss')).toBeGreaterThanOrEqual(4);
    expect(second(50)).toBe('loss');
    expect([second(0), second(0), second(0), second(0)].at(-1)).toBeNull();
  });

  test('never while next to nothing is sent', () => {
    expect(classifier({ rttMs: 40, bps: 20e3 }, { rttMs: 900, bps: 1e3, window: 1000 }).tick()).toEqual([null, null]);
  });
});
