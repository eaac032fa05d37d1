import { describe, expect, test } from '@jest/globals';
import { LINK_DEFAULTS } from '../link-settings.ts';
import { SenderLink } from '../link.ts';

const MS = 1000;

function link(window: number, lostUs: number): SenderLink {
  const made = new SenderLink(0, LINK_DEFAULTS);
  made.losses.lastUs = lostUs;
  made.window = window;
  return made;
}

/** What it gets in so many ms after `fromMs`, asked each 50 ms. */
function gained(made: SenderLink, fromMs: number, ms: number): number {
  let sum = 0;
  for (let at = fromMs; at < fromMs + ms; at += 50) sum += made.windowRecovery.step(made, at * MS);
  return sum;
}

describe('the window of a link that has lost', () => {
  test('is left alone for two seconds, then gets more each second the longer nothing is lost', () => {
    const made = link(15_000, 0);
    expect(gained(made, 0, 2000)).toBe(0);
    expect(gained(made, 2000, 1000)).toBe(7);
    expect(gained(made, 5050, 1000)).toBe(15);
    expect(gained(made, 7050, 1000)).toBe(30);
    expect(gained(made, 10_050, 3000)).toBe(180);
  });

  test('recovers fast from 2 to 12 packets', () => {
    const made = link(2000, 0);
    expect(gained(made, 0, 500)).toBe(0);
    expect(gained(made, 500, 900)).toBe(3 * 14);
    made.window = 11_999;
    expect(gained(made, 1400, 300)).toBe(14);
    made.window = 12_000;
    expect(gained(made, 1700, 300)).toBe(0);
  });

  test('gets half while the round trip grows', () => {
    const made = link(15_000, 0);
    for (let i = 0; i < 30; i += 1) made.rtt.add(40 + 5 * i);
    expect(gained(made, 10_050, 1000)).toBe(30);
  });

  test('of one that never has lost, the most', () => {
    expect(gained(link(20_000, -Infinity), 0, 1000)).toBe(60);
  });
});
