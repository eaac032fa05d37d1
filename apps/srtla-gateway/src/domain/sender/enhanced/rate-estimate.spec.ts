import { describe, expect, test } from '@jest/globals';
import { LinkMeter } from '../link-meter.ts';
import { RttFilter } from '../rtt-filter.ts';
import { RateEstimate } from './rate-estimate.ts';

/** Seconds of a link that is given so much, of which so much is lost, at this round trip. */
function link() {
  const rate = new RateEstimate();
  const meter = new LinkMeter();
  const rtt = new RttFilter();
  let nowUs = 0;
  meter.tick(nowUs);
  const second = (bps: number, loss = 0, rttMs = 40): number => {
    const packets = Math.round(bps / 10_000);
    nowUs += 1e6;
    meter.packets += packets;
    meter.bytes += packets * 1250;
    meter.naks += Math.round(packets * loss);
    meter.delivered += packets - Math.round(packets * loss);
    meter.tick(nowUs);
    rtt.add(rttMs);
    rtt.tick();
    rate.tick(meter, rtt);
    return rate.bps;
  };
  const seconds = (count: number, bps: number, loss = 0, rttMs = 40): number => {
    for (let i = 1; i < count; i += 1) second(bps, loss, rttMs);
    return second(bps, loss, rttMs);
  };
  return { seconds, rate };
}

describe('the estimate of a link’s rate', () => {
  test('is nothing before it has carried anything, and what it has delivered at least', () => {
    const { seconds } = link();
    expect(seconds(3, 0)).toBe(0);
    expect(seconds(1, 5e6)).toBe(5e6);
  });

  test('climbs by 6 % a second while all is calm, to twice of what it is given', () => {
    const { seconds } = link();
    seconds(1, 5e6);
    expect(seconds(1, 5e6) / 5e6).toBeCloseTo(1.06, 5);
    expect(seconds(60, 5e6)).toBe(10e6);
    expect(seconds(10, 1e6)).toBe(10e6);
  });

  test('falls by a quarter, once, when the round trip has doubled, and climbs when it is short again', () => {
    const { seconds } = link();
    seconds(60, 5e6);
    expect(seconds(8, 5e6, 0, 200)).toBeCloseTo(7.5e6, -3);
    expect(seconds(5, 5e6, 0, 200)).toBeCloseTo(7.5e6, -3);
    expect(seconds(10, 5e6, 0, 40)).toBeGreaterThan(7.5e6);
  });

  test('falls by losses under load, not below what arrives', () => {
    const { seconds } = link();
    seconds(60, 5e6);
    expect(seconds(1, 5e6, 0.02)).toBeCloseTo(8.5e6, -3);
    seconds(1, 5e6, 0.02);
    expect(seconds(1, 5e6, 0.02)).toBeGreaterThanOrEqual(4.9e6);
  });

  test('takes losses that do not mind what it falls to for the link’s own, for a while', () => {
    const { seconds } = link();
    seconds(60, 5e6);
    const after = seconds(3, 5e6, 0.02);
    expect(seconds(20, 5e6, 0.02)).toBeGreaterThan(after);
  });

  test('is between 100 kbit/s and 200 Mbit/s', () => {
    const { seconds } = link();
    expect(seconds(30, 20e3, 0.5)).toBeGreaterThanOrEqual(100e3);
    expect(seconds(2, 900e6)).toBe(200e6);
  });
});
