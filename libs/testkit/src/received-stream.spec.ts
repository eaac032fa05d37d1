import { encodeG711 } from '@mediaplane/audio';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ReceivedRtp } from './received-stream.ts';
import { ReceivedStream } from './received-stream.ts';
import { RtpTimeline } from './rtp-timeline.ts';

function received(sequence: number, overrides: Partial<ReceivedRtp> = {}): ReceivedRtp {
  return {
    payloadType: 0,
    marker: false,
    sequenceNumber: sequence & 0xffff,
    timestamp: (sequence * 160) >>> 0,
    ssrc: 1,
    payload: new Uint8Array(160),
    arrivalUs: sequence * 20_000,
    from: { address: '127.0.0.1', port: 1 },
    latencyUs: null,
    ...overrides,
  };
}

function streamOf(packets: readonly ReceivedRtp[]): ReceivedStream {
  const stream = new ReceivedStream(1);
  for (const packet of packets) stream.add(packet, packet.payloadType === 0);
  return stream;
}

describe('ReceivedStream', () => {
  test('a perfect stream over the wrap of sequence number and timestamp', () => {
    const stream = streamOf(
      Array.from({ length: 100 }, (_, index) =>
        received(65_500 + index, { timestamp: (0xffffff00 + index * 160) >>> 0 }),
      ),
    );
    expect(stream.statistics()).toMatchObject({
      packets: 100,
      lost: 0,
      duplicates: 0,
      reordered: 0,
      jitterTicks: 0,
      maxTimestampSkewMs: 0,
      extendedSequence: 65_599,
    });
  });

  test('packets, loss and duplicates add up in any order of arrival', () => {
    const arrivals = fc.array(fc.nat(60), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(arrivals, fc.nat(0xffff), (order, first) => {
        const { packets, lost, duplicates } = streamOf(order.map((index) => received(first + index))).statistics();
        const span = Math.max(...order) - Math.min(...order) + 1;
        expect(packets).toBe(order.length);
        expect(packets - duplicates).toBe(new Set(order).size);
        expect(packets - duplicates + lost).toBe(span);
      }),
    );
  });

  test('jitter is that of RFC 3550 A.8, of audio only', () => {
    // Every other packet 4 ms late: the difference is 32 samples each time, and the estimate nears that.
    const late = Array.from({ length: 200 }, (_, index) =>
      received(index, { arrivalUs: index * 20_000 + (index % 2) * 4000 }),
    );
    expect(streamOf(late).statistics().jitterTicks).toBeCloseTo(32, 3);
    const digit = late.map((packet, index) =>
      index > 2 && index < 9 ? { ...packet, payloadType: 101, timestamp: 480 } : packet,
    );
    expect(streamOf(digit).statistics().jitterTicks).toBeCloseTo(32, 3);
    expect(streamOf(digit).statistics().maxTimestampSkewMs).toBeCloseTo(4, 6);
  });

  test('a timestamp line that stands still shows', () => {
    const stuck = [0, 1, 2, 3].map((index) => received(index, { timestamp: Math.min(index, 1) * 160 }));
    expect(streamOf(stuck).statistics().maxTimestampSkewMs).toBe(40);
  });

  test('audio lies where its timestamp says, whatever its delay; what was lost is silence', () => {
    const ramp = Int16Array.from({ length: 160 }, (_, index) => (index + 1) * 100);
    const payload = new Uint8Array(160);
    encodeG711('PCMU', ramp, 0, 160, payload, 0);
    const timeline = new RtpTimeline(new Map([[0, 'PCMU']]), 101);
    timeline.add(received(5, { payload }));
    timeline.add(received(8, { payload, arrivalUs: 195_000 }));
    timeline.add(received(7, { payload, arrivalUs: 196_000 }));
    const samples = timeline.samples(90_000, 190_000);
    const isLoud = (fromMs: number, toMs: number): boolean =>
      samples.subarray(fromMs * 8, toMs * 8).every((sample) => sample > 0);
    const isSilent = (fromMs: number, toMs: number): boolean =>
      samples.subarray(fromMs * 8, toMs * 8).every((sample) => sample === 0);
    expect(samples.length).toBe(800);
    expect([isSilent(0, 10), isLoud(10, 30), isSilent(30, 50), isLoud(50, 90), isSilent(90, 100)]).toEqual(
      new Array<boolean>(5).fill(true),
    );
    // The beginning and the end cut through packets.
    expect(timeline.samples(105_000, 165_000)).toEqual(samples.slice(120, 600));
  });

  test('latencies are summed up by rank', () => {
    const timeline = new RtpTimeline(new Map([[0, 'PCMU']]), 101);
    expect(timeline.latencyMs).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    for (let index = 100; index > 0; index--) timeline.add(received(index, { latencyUs: index * 1000 }));
    timeline.add(received(101));
    expect(timeline.latencyMs).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 });
  });
});
