import { describe, expect, test } from '@jest/globals';
import { addSequence, SEQUENCE_MASK, sequenceDistance } from '@mediaplane/srtla';
import fc from 'fast-check';
import { SrtArrivals } from './srt-arrivals.ts';
import type { SrtDelivery } from './srt-arrivals.ts';

const LATENCY_US = 100_000;
const PACKET_US = 1000;
const START_US = 5e9;

/** A receiver of a stream of a packet each millisecond whose conclusion came at START_US. */
class Receiver {
  readonly played: SrtDelivery[] = [];
  readonly arrivals: SrtArrivals;
  readonly #first: number;
  readonly #startTimestampUs: number;

  constructor({ first = 100, startTimestampUs = 0, reorderPackets = 0 } = {}) {
    this.#first = first;
    this.#startTimestampUs = startTimestampUs;
    this.arrivals = new SrtArrivals({
      initialSequence: first,
      latencyUs: LATENCY_US,
      startUs: START_US,
      startTimestampUs,
      reorderPackets,
    });
  }

  /** Packet `number` of the stream comes at `atUs` after the conclusion. */
  add(number: number, atUs: number, isRetransmitted = false): void {
    const timestampUs = (this.#startTimestampUs + number * PACKET_US) >>> 0;
    const sequence = addSequence(this.#first, number);
    this.arrivals.add(sequence, timestampUs, isRetransmitted, Uint8Array.of(number), START_US + atUs);
  }

  /** Numbers of the packets that were played until `atUs`. */
  play(atUs: number): number[] {
    this.arrivals.play(START_US + atUs, (packet) => this.played.push(packet));
    return this.played.map(({ payload }) => payload[0]);
  }

  fresh(atUs: number): [number, number][] {
    return this.#numbers(this.arrivals.freshLosses(START_US + atUs));
  }

  periodic(ageUs: number, atUs: number): [number, number][] {
    return this.#numbers(this.arrivals.periodicLosses(ageUs, START_US + atUs));
  }

  get acknowledged(): number {
    return sequenceDistance(this.#first, this.arrivals.acknowledged);
  }

  #numbers(ranges: readonly { first: number; last: number }[]): [number, number][] {
    const number = (sequence: number): number => sequenceDistance(this.#first, sequence);
    return ranges.map(({ first, last }) => [number(first), number(last)]);
  }
}

test('a packet is played at its origin and the latency, whenever it came', () => {
  const receiver = new Receiver();
  receiver.add(0, 10);
  receiver.add(1, 90_000);
  expect(receiver.play(LATENCY_US - 1)).toEqual([]);
  expect(receiver.play(LATENCY_US)).toEqual([0]);
  expect(receiver.play(LATENCY_US + PACKET_US)).toEqual([0, 1]);
  expect(receiver.played.map(({ originUs }) => originUs - START_US)).toEqual([0, PACKET_US]);
});

test.each([
  ['the wrap of sequence numbers', { first: SEQUENCE_MASK - 2 }],
  ['the wrap of timestamps', { startTimestampUs: 2 ** 32 - 2500 }],
  ['a caller that is an hour old', { startTimestampUs: 3_600_000_000 }],
])('%s changes nothing', (_, options) => {
  const receiver = new Receiver(options);
  for (const number of [0, 1, 3, 4, 2, 5]) receiver.add(number, 6000, number === 2);
  expect(receiver.acknowledged).toBe(6);
  expect(receiver.play(LATENCY_US + 3 * PACKET_US)).toEqual([0, 1, 2, 3]);
  expect(receiver.play(LATENCY_US + 9 * PACKET_US)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(receiver.arrivals.counts).toMatchObject({ received: 6, retransmitted: 1, delivered: 6 });
});

describe('losses', () => {
  test('are reported at once, and again while they last', () => {
    const receiver = new Receiver();
    receiver.add(0, 0);
    receiver.add(3, 3000);
    receiver.add(5, 5000);
    expect(receiver.fresh(5000)).toEqual([
      [1, 2],
      [4, 4],
    ]);
    expect(receiver.fresh(6000)).toEqual([]);
    receiver.add(2, 7000, true);
    expect(receiver.periodic(20_000, 24_999)).toEqual([]);
    expect(receiver.periodic(20_000, 25_000)).toEqual([
      [1, 1],
      [4, 4],
    ]);
    expect(receiver.acknowledged).toBe(1);
  });

  test('are no losses yet where packets may overtake each other', () => {
    const receiver = new Receiver({ reorderPackets: 3 });
    receiver.add(0, 0);
    for (const number of [2, 3, 4]) receiver.add(number, number * 1000);
    expect(receiver.fresh(4000)).toEqual([]);
    receiver.add(5, 5000);
    expect(receiver.fresh(5000)).toEqual([[1, 1]]);
    receiver.add(1, 5100);
    expect(receiver.arrivals.counts).toMatchObject({ reordered: 1, retransmitted: 0 });
  });

  test('are given up when what follows is due; what comes then is late', () => {
    const receiver = new Receiver();
    receiver.add(0, 0);
    receiver.add(3, 3000);
    expect(receiver.play(LATENCY_US + 3 * PACKET_US)).toEqual([0, 3]);
    expect(receiver.arrivals.missed).toEqual([101, 102]);
    expect(receiver.acknowledged).toBe(4);
    receiver.add(1, LATENCY_US + 4000, true);
    expect(receiver.play(LATENCY_US + 9000)).toEqual([0, 3]);
    expect(receiver.arrivals.counts).toMatchObject({ received: 2, late: 1 });
  });
});

test('what comes too late while nothing else is due is played at once, and told', () => {
  const receiver = new Receiver();
  receiver.add(0, 0);
  receiver.add(150, 150_000);
  receiver.add(2, LATENCY_US + 60_000, true);
  receiver.add(149, LATENCY_US + 60_000, true);
  expect(receiver.play(LATENCY_US + 60_000)).toEqual([0, 2]);
  expect(receiver.arrivals.counts).toMatchObject({ belated: 1, late: 0 });
});

test('a packet that comes twice is told, and one of another session does nothing', () => {
  const receiver = new Receiver();
  for (const number of [0, 0, 2, 2]) receiver.add(number, 2000);
  receiver.add(20_000, 2000);
  receiver.add(-20_000, 2000);
  receiver.play(LATENCY_US);
  receiver.add(0, LATENCY_US);
  expect(receiver.arrivals.counts).toMatchObject({ received: 2, duplicates: 3, strange: 2 });
  expect(receiver.acknowledged).toBe(1);
});

test('whatever comes in whatever order: what came is played once and in order, all else is missed', () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 0, max: SEQUENCE_MASK }), (numbers, first) => {
      const receiver = new Receiver({ first });
      for (const number of numbers) receiver.add(number, 60 * PACKET_US);
      const came = [...new Set(numbers)].toSorted((a, b) => a - b);
      expect(receiver.play(LATENCY_US + 60 * PACKET_US)).toEqual(came);
      const missing = Array.from({ length: came[came.length - 1] }, (_, i) => i).filter((i) => !came.includes(i));
      expect(receiver.arrivals.missed).toEqual(missing.map((number) => addSequence(first, number)));
      expect(receiver.arrivals.counts.duplicates).toBe(numbers.length - came.length);
    }),
  );
});
