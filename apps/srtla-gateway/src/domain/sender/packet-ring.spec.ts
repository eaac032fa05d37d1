import { describe, expect, test } from '@jest/globals';
import { PASS_BYTES, PacketRing } from './packet-ring.ts';

const SIZE = 4096;
const INBOX = 100;

function ring() {
  const bytes = new Uint8Array(2048 + SIZE + 16);
  const kept = new PacketRing(bytes, 2048, SIZE, 16, 0);
  const keep = (sequence: number, length: number): void => {
    bytes.fill(sequence & 0xff, INBOX, INBOX + length);
    kept.keep(sequence, INBOX, length);
  };
  const whole = (sequence: number): boolean => {
    const offset = kept.offsetOf(sequence);
    return bytes.subarray(offset, offset + kept.lengthOf(sequence)).every((byte) => byte === (sequence & 0xff));
  };
  return { bytes, kept, keep, whole };
}

describe('the ring', () => {
  test('has what fits into its memory, whole, and knows what is gone', () => {
    const { bytes, kept, keep, whole } = ring();
    for (let sequence = 0; sequence < 50; sequence += 1) {
      keep(sequence, 700 + (sequence % 7) * 100);
      for (let back = 0; back < 3 && back <= sequence; back += 1) {
        expect([kept.lengthOf(sequence - back), whole(sequence - back)]).toEqual([
          700 + ((sequence - back) % 7) * 100,
          true,
        ]);
      }
      if (sequence >= 6) expect(kept.lengthOf(sequence - 6)).toBe(0);
    }
    expect(bytes.subarray(2048 + SIZE).every((byte) => byte === 0)).toBe(true);
  });

  test('does not hand out what the datagrams of the same pass may overwrite before it has been sent', () => {
    const size = PacketRing.bytesFor(1e6);
    const bytes = new Uint8Array(2048 + size);
    const kept = new PacketRing(bytes, 2048, size, 4096, PASS_BYTES);
    const LENGTH = 1332;
    for (let sequence = 0; sequence < 4000; sequence += 1) {
      bytes.fill(sequence & 0xff, INBOX, INBOX + LENGTH);
      kept.keep(sequence, INBOX, LENGTH);
    }
    let oldest = 3999;
    while (kept.lengthOf(oldest - 1) > 0) oldest -= 1;
    expect(4000 - oldest).toBeGreaterThan(300);
    const offset = kept.offsetOf(oldest);
    for (let sequence = 4000, left = PASS_BYTES; left >= LENGTH; sequence += 1, left -= LENGTH) {
      bytes.fill(sequence & 0xff, INBOX, INBOX + LENGTH);
      kept.keep(sequence, INBOX, LENGTH);
    }
    expect(bytes.subarray(offset, offset + LENGTH).every((byte) => byte === (oldest & 0xff))).toBe(true);
  });

  test.each([
    [1e6, 1 << 20],
    [50e6, 4 << 20],
    [100e6, 8 << 20],
    [1e9, 64 << 20],
  ])('for %d bit/s is half a second, in sizes that fit others: %d bytes', (bitrateBps, size) => {
    expect(PacketRing.bytesFor(bitrateBps)).toBe(size);
    expect(PacketRing.placesFor(size)).toBeLessThanOrEqual(65_536);
    // Packets of 1316 bytes.
    expect(PacketRing.placesFor(size)).toBeGreaterThan(bitrateBps / 2 / 8 / 1332);
  });
});
