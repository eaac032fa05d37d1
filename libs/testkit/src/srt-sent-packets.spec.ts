import { expect, test } from '@jest/globals';
import { addSequence, isRetransmitted, SEQUENCE_MASK } from '@mediaplane/srtla';
import { SrtSentPackets } from './srt-sent-packets.ts';
import { viewOf } from './srt-settings.ts';

const KEPT_US = 1_020_000;

/** Ten packets across the wrap, one each millisecond. */
function tenPackets({ latencyMs = 120 } = {}) {
  const first = SEQUENCE_MASK - 4;
  const packets = new SrtSentPackets(first, latencyMs);
  for (let number = 0; number < 10; number += 1) packets.add(new Uint8Array(20).fill(number, 16), number * 1000);
  return { packets, sequence: (number: number) => addSequence(first, number) };
}

test('what is acknowledged is forgotten, and an old acknowledgement or a wild one is no news', () => {
  const { packets, sequence } = tenPackets();
  expect([packets.unacknowledged, packets.nextSequence, packets.last]).toEqual([10, sequence(10), sequence(9)]);
  expect(packets.acknowledge(sequence(7))).toBe(true);
  for (const number of [7, 3, 11, 1000]) expect(packets.acknowledge(sequence(number))).toBe(false);
  expect(packets.unacknowledged).toBe(3);
  expect(packets.again(sequence(6), 0, 0)).toBeUndefined();
  expect(packets.acknowledge(sequence(10))).toBe(true);
  expect(packets.last).toBeUndefined();
});

test('a packet goes out again as it was, marked, and not twice in a round trip', () => {
  const { packets, sequence } = tenPackets();
  const again = packets.again(sequence(5), 20_000, 15_000);
  expect([again?.[16], again === undefined ? false : isRetransmitted(viewOf(again), 0)]).toEqual([5, true]);
  expect(packets.again(sequence(5), 21_000, 16_000)).toBeUndefined();
  expect(packets.again(sequence(5), 26_000, 21_000)).toBe(again);
});

test.each([
  [120, KEPT_US],
  [3000, 3_020_000],
])('with a latency of %d ms a packet is kept for %d us', (latencyMs, keptUs) => {
  const { packets, sequence } = tenPackets({ latencyMs });
  packets.expire(keptUs - 1);
  expect(packets.expired).toBe(0);
  packets.expire(keptUs + 1000);
  expect([packets.expired, packets.unacknowledged]).toEqual([2, 8]);
  expect(packets.again(sequence(1), keptUs, 0)).toBeUndefined();
  expect(packets.again(sequence(2), keptUs, 0)).toBeDefined();
});
