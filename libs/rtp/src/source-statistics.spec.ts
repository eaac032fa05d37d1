import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Arrival, RtpSourceStatistics } from './source-statistics.ts';

const RATE = 8000;
const FRAME = 160;
const FRAME_US = 20_000;

/** Feeds sequence numbers on a perfect 20 ms grid, the timestamp following the sequence. */
function feed(statistics: RtpSourceStatistics, sequences: number[], ssrc = 1, fromUs = 0): Arrival[] {
  return sequences.map((sequence, i) =>
    statistics.update(ssrc, sequence & 0xffff, (sequence * FRAME) | 0, FRAME, fromUs + i * FRAME_US),
  );
}
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe('sequence', () => {
  test('a source is valid at its second packet in order and is credited with both', () => {
    const statistics = new RtpSourceStatistics(RATE);
    expect(feed(statistics, [10, 11, 12])).toEqual([Arrival.provisional, Arrival.inOrder, Arrival.inOrder]);
    expect(statistics).toMatchObject({ packets: 3, octets: 480, expected: 3, lost: 0, extendedSequence: 12 });
  });

  test.each([65534, 65535, 0])('wraps, starting at %i', (start) => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, range(start, 70_000));
    expect(statistics).toMatchObject({
      expected: 70_000,
      lost: 0,
      totalLost: 0,
      reordered: 0,
      duplicates: 0,
      jumps: 0,
    });
    expect(statistics.extendedSequence & 0xffff).toBe((start + 69_999) & 0xffff);
  });

  test('counts loss, reordering and duplicates apart', () => {
    const statistics = new RtpSourceStatistics(RATE);
    const arrivals = feed(statistics, [1, 2, 5, 4, 4, 5, 8]);
    expect(arrivals.slice(2)).toEqual([
      Arrival.inOrder,
      Arrival.reordered,
      Arrival.duplicate,
      Arrival.duplicate,
      Arrival.inOrder,
    ]);
    expect(statistics).toMatchObject({ expected: 8, totalLost: 3, reordered: 1, duplicates: 2 });
    // RFC 3550 A.3 counts duplicates as received.
    expect(statistics.lost).toBe(1);
  });

  test.each([33, 64, 100, 128, 150, 1000])('of a gap of %i packets, those that come late are no duplicates', (gap) => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, range(0, 300));
    feed(statistics, [299 + gap]);
    const late = range(299 + gap - Math.min(gap, 100) + 1, Math.min(gap, 100) - 1);
    expect(new Set(feed(statistics, late))).toEqual(new Set([Arrival.reordered]));
    expect(new Set(feed(statistics, late))).toEqual(new Set([Arrival.duplicate]));
  });

  test('a packet from before the first valid one moves the base', () => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, [11, 12, 10]);
    expect(statistics).toMatchObject({ expected: 3, lost: 0, reordered: 1 });
  });

  test('one packet far off is a jump, two in order are a restart', () => {
    const statistics = new RtpSourceStatistics(RATE);
    expect(feed(statistics, [100, 101, 40_000, 102, 103])).toEqual([
      Arrival.provisional,
      Arrival.inOrder,
      Arrival.jump,
      Arrival.inOrder,
      Arrival.inOrder,
    ]);
    expect(statistics).toMatchObject({ jumps: 1, restarts: 0, totalLost: 0, totalExpected: 4 });
    expect(feed(statistics, [50_000, 50_001, 50_002])).toEqual([Arrival.jump, Arrival.inOrder, Arrival.inOrder]);
    expect(statistics).toMatchObject({ restarts: 1, expected: 3, totalExpected: 7, totalLost: 0 });
  });

  test.each([
    [2999, 0],
    [3000, 1],
  ])('a gap of %i is %i jumps', (gap, jumps) => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, [1, 2, 2 + gap]);
    expect(statistics.jumps).toBe(jumps);
  });

  test('a new source must prove itself and the old totals stay', () => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, [1, 2, 4], 1);
    expect(feed(statistics, [500, 501, 502], 2)).toEqual([Arrival.provisional, Arrival.inOrder, Arrival.inOrder]);
    expect(statistics).toMatchObject({ ssrc: 2, ssrcChanges: 1, expected: 3, lost: 0, totalExpected: 7, totalLost: 1 });
    expect(statistics.packets).toBe(6);
  });

  test('strangers that change their SSRC with each packet never become the source', () => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, [1, 2]);
    for (let i = 0; i < 100; i++) {
      feed(statistics, [i], 1000 + i);
      expect(feed(statistics, [3 + i])).toEqual([Arrival.inOrder]);
    }
    expect(statistics).toMatchObject({ ssrc: 1, ssrcChanges: 0, totalLost: 0 });
  });
});

describe('reports', () => {
  test('fraction lost is of the interval since the report before (RFC 3550 A.3)', () => {
    const statistics = new RtpSourceStatistics(RATE);
    feed(statistics, [1, 2, 3, 4]);
    expect(statistics.takeFractionLost()).toBe(0);
    feed(statistics, [6, 8]);
    expect(statistics.takeFractionLost()).toBe(128);
    expect(statistics.takeFractionLost()).toBe(0);
    feed(statistics, [9, 9, 9]);
    expect(statistics.takeFractionLost()).toBe(0);
  });

  test('jitter follows RFC 3550 A.8', () => {
    const statistics = new RtpSourceStatistics(RATE);
    const arrivalsMs = [0, 20, 45, 60, 92, 100, 120];
    let expected = 0;
    arrivalsMs.forEach((ms, i) => {
      statistics.update(1, i, i * FRAME, FRAME, ms * 1000);
      if (i < 2) return;
      const deviation = Math.abs((ms - arrivalsMs[i - 1]) * 8 - FRAME);
      expected += (deviation - expected) / 16;
    });
    expect(Math.abs(statistics.jitter - expected)).toBeLessThanOrEqual(1);
    expect(statistics.jitterMs).toBeCloseTo(expected / 8, 0);
    expect(expected).toBeGreaterThan(8);
  });

  test('packets of one telephone event are no jitter, nor is a timestamp that wraps', () => {
    const statistics = new RtpSourceStatistics(RATE);
    for (let i = 0; i < 50; i++) {
      const event = i >= 20 && i < 34;
      statistics.update(1, i, (0x7fffff00 + (event ? 20 : i) * FRAME) | 0, event ? 4 : FRAME, i * FRAME_US);
    }
    expect(statistics.jitter).toBe(0);
  });
});

test('every packet sent is expected, every one not delivered is lost, whatever the order', () => {
  fc.assert(
    fc.property(
      fc.nat(0xffff),
      fc.array(fc.record({ lost: fc.boolean(), copies: fc.integer({ min: 1, max: 2 }), delay: fc.nat(40) }), {
        maxLength: 400,
      }),
      (start, fates) => {
        const sent = fates.map((fate, i) => ({ ...fate, sequence: start + 2 + i, at: i + fate.delay }));
        // The last one arrives in order, so that the end of the stream is known.
        const last = start + 2 + sent.length;
        const delivered = sent
          .filter((packet) => !packet.lost)
          .sort((a, b) => a.at - b.at)
          .flatMap((packet) => Array.from({ length: packet.copies }, () => packet.sequence));
        const statistics = new RtpSourceStatistics(RATE);
        feed(statistics, [start, start + 1, ...delivered, last]);
        const unique = new Set(delivered).size + 3;
        expect(statistics.expected).toBe(sent.length + 3);
        expect(statistics.totalLost).toBe(sent.length + 3 - unique);
        expect(statistics.duplicates).toBe(delivered.length + 3 - unique);
        expect(statistics.restarts).toBe(0);
      },
    ),
  );
});

test('any input keeps the counters sane', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.nat(0xffff), fc.integer({ min: -0x80000000, max: 0x7fffffff }), fc.nat(1e9)), {
        maxLength: 300,
      }),
      (packets) => {
        const statistics = new RtpSourceStatistics(RATE);
        for (const [ssrc, sequence, timestamp, nowUs] of packets) {
          statistics.update(ssrc, sequence, timestamp, 1, nowUs);
        }
        expect(statistics.packets).toBe(packets.length);
        expect(statistics.totalExpected).toBeGreaterThanOrEqual(0);
        expect(statistics.jitter).toBeGreaterThanOrEqual(0);
        const fraction = statistics.takeFractionLost();
        expect(fraction >= 0 && fraction <= 255).toBe(true);
      },
    ),
  );
});

test('a structured clone carries the state to another thread', () => {
  const statistics = new RtpSourceStatistics(RATE);
  feed(statistics, [1, 2, 4]);
  const moved = Object.assign(new RtpSourceStatistics(RATE), structuredClone(statistics));
  expect(feed(moved, [3, 4])).toEqual([Arrival.reordered, Arrival.duplicate]);
  expect(moved).toMatchObject({ expected: 4, totalLost: 0 });
});
