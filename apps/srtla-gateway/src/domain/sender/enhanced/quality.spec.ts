import { describe, expect, test } from '@jest/globals';
import { LINK_DEFAULTS } from '../link-settings.ts';
import { SenderLink } from '../link.ts';
import { qualityOf } from './quality.ts';

const SECOND = 1e6;

function link(rttMs: number, ageSeconds: number): { link: SenderLink; nowUs: number } {
  const made = new SenderLink(0, LINK_DEFAULTS);
  made.open(0);
  for (let i = 0; i < 3; i += 1) made.rtt.add(rttMs);
  return { link: made, nowUs: ageSeconds * SECOND };
}

describe('the quality of a link', () => {
  test('is 0.8 of itself until two round trips are known, or five seconds have gone by', () => {
    const made = new SenderLink(0, LINK_DEFAULTS);
    made.open(0);
    expect(qualityOf(made, SECOND)).toBeCloseTo(0.8 * 1.1);
    expect(qualityOf(made, 5 * SECOND)).toBeCloseTo(1.1);
    made.rtt.add(200);
    made.rtt.add(200);
    expect(qualityOf(made, SECOND)).toBeCloseTo(1.1);
  });

  test('has up to 3 % for a short round trip', () => {
    for (const [rttMs, bonus] of [
      [400, 1],
      [198, 200 / 198],
      [60, 1.03],
      [1, 1.03],
    ]) {
      const { link: made, nowUs } = link(rttMs, 10);
      expect(qualityOf(made, nowUs)).toBeCloseTo(1.1 * bonus, 3);
    }
  });

  test('is 0.98 for a young link that has lost, and for an older one forgives by and by', () => {
    const young = link(200, 20);
    young.link.onLoss(young.nowUs);
    expect(qualityOf(young.link, young.nowUs)).toBeCloseTo(0.98);
    const { link: old, nowUs } = link(200, 60);
    old.onLoss(nowUs);
    expect(qualityOf(old, nowUs)).toBeCloseTo(0.5);
    expect(qualityOf(old, nowUs + 2 * SECOND)).toBeCloseTo(1 - 0.5 / Math.E);
    expect(qualityOf(old, nowUs + 20 * SECOND)).toBeCloseTo(1, 3);
  });

  test('is 0.7 of that in the three seconds after a burst', () => {
    const { link: made, nowUs } = link(200, 60);
    for (let i = 0; i < 5; i += 1) made.onLoss(nowUs - 0.9 * SECOND * (4 - i));
    expect(qualityOf(made, nowUs)).toBeCloseTo(0.5 * 0.7);
    expect(qualityOf(made, nowUs + 3 * SECOND)).toBeCloseTo(1 - 0.5 * Math.exp(-1.5));
    made.onLoss(nowUs + 2 * SECOND);
    expect(made.losses.burst).toBe(1);
  });
});
