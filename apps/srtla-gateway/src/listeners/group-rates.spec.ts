import { describe, expect, test } from '@jest/globals';
import { LinkTelemetry } from '@mediaplane/srtla';
import type { GroupLinkStatistics, GroupStatistics } from '../media/listener-contract.ts';
import { GroupRates } from './group-rates.ts';

const S = 1e6;

function link(port: number, bytes: number, telemetry: Partial<LinkTelemetry> | null = null): GroupLinkStatistics {
  return {
    address: { w0: 0, w1: 0, w2: 0xffff, w3: 0x7f000001, port },
    relayedBy: null,
    joinedLate: false,
    upMs: 5000,
    heardAgoMs: 10,
    packets: bytes / 1000,
    bytes,
    jitterMs: 1.5,
    telemetry: telemetry === null ? null : Object.assign(new LinkTelemetry(), telemetry),
  };
}

function group(links: GroupLinkStatistics[], serverNakPackets = 0): GroupStatistics {
  const bytes = links.reduce((sum, each) => sum + each.bytes, 0);
  return {
    group: 1,
    upMs: 5000,
    isAccepted: true,
    latencyMs: 200,
    packets: bytes / 1000,
    bytes,
    retransmitted: 0,
    notAccepted: 0,
    serverPackets: 0,
    serverBytes: 0,
    serverNotAccepted: 0,
    serverNaks: 0,
    serverNakPackets,
    links,
  };
}

describe('rates of a group', () => {
  test('are those of the last second, and shares add up', () => {
    const rates = new GroupRates();
    rates.tick(1 * S, group([link(1, 100_000), link(2, 300_000)], 5));
    rates.tick(2 * S, group([link(1, 200_000, { smoothedRttMs: 20, naks: 3, window: 20_000 }), link(2, 600_000)], 15));
    const { latest } = rates;
    expect(latest).toMatchObject({ bitrateBps: 3_200_000, nakRate: 10, nakPackets: 15, packets: 800, uptimeMs: 5000 });
    expect(latest?.links.map(({ share, bitrateBps }) => [share, bitrateBps])).toEqual([
      [0.25, 800_000],
      [0.75, 2_400_000],
    ]);
    expect(latest?.links[0]).toMatchObject({ rttMs: 20, windowPackets: 20, nakRate: 0, jitterMs: 1.5, silentMs: 10 });
    expect(latest?.links[1].rttMs).toBeUndefined();
    expect(latest?.rttMs).toBeCloseTo(20);
  });

  test('a reading in between has its own counters, and rates over no less than half a second', () => {
    const rates = new GroupRates();
    rates.tick(1 * S, group([link(1, 0)]));
    rates.tick(2 * S, group([link(1, 100_000)]));
    expect(rates.at(2.1 * S, group([link(1, 110_000)]))).toMatchObject({ bytes: 110_000, bitrateBps: 800_000 });
    expect(rates.at(2.6 * S, group([link(1, 160_000)]))).toMatchObject({ bytes: 160_000, bitrateBps: 800_000 });
  });

  test('a link that registered anew counts from nothing, and no rate is below it', () => {
    const rates = new GroupRates();
    rates.tick(1 * S, group([link(1, 500_000)], 9));
    rates.tick(2 * S, group([link(1, 1000)], 0));
    expect(rates.latest).toMatchObject({ bitrateBps: 0, nakRate: 0 });
    expect(rates.latest?.links[0].bitrateBps).toBe(8000);
  });

  test('go on with another media thread, which counts from nothing', () => {
    const rates = new GroupRates();
    rates.tick(1 * S, group([link(1, 400_000)], 4));
    rates.tick(2 * S, group([link(1, 500_000)], 9));
    const anew = { ...group([link(1, 50_000)], 1), upMs: 500 };
    expect(rates.at(2.9 * S, { ...anew, upMs: 400 })).toMatchObject({ bytes: 550_000, bitrateBps: 1_000_000 });
    rates.tick(3 * S, anew);
    expect(rates.latest).toMatchObject({ bitrateBps: 800_000, bytes: 550_000, packets: 550, nakPackets: 10 });
    expect(rates.latest?.uptimeMs).toBe(5500);
    expect(rates.latest?.links[0].share).toBe(1);
  });

  test('a group of before a restart is as old as it is', () => {
    const rates = new GroupRates(60_000);
    rates.tick(1 * S, group([link(1, 5000)]));
    expect(rates.latest).toMatchObject({ uptimeMs: 65_000, bitrateBps: 8000 });
  });

  test('the first reading is told over the time that the group is up; without one there is nothing', () => {
    const rates = new GroupRates();
    expect(rates.latest).toBeUndefined();
    expect(rates.at(9 * S, group([link(1, 5000)]))).toMatchObject({ bitrateBps: 8000 });
  });
});
