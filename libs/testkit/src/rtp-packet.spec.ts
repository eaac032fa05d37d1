import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readRtp, writeRtp } from './rtp-packet.ts';

const packets = fc.record({
  payloadType: fc.nat(127),
  marker: fc.boolean(),
  sequenceNumber: fc.nat(0xffff),
  timestamp: fc.nat(0xffffffff),
  ssrc: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 200 }),
});

describe('RTP packets', () => {
  test('what is written is read', () => {
    fc.assert(fc.property(packets, (packet) => expect(readRtp(writeRtp(packet))).toEqual(packet)));
  });

  test('CSRCs, a header extension and padding are skipped', () => {
    const bytes = Uint8Array.from(
      [0xb1, 0x80, 0x12, 0x34, 0, 0, 0, 0xa0, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4].concat(
        [0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0],
        [7, 8, 9],
        [0, 0, 3],
      ),
    );
    expect(readRtp(bytes)).toEqual({
      payloadType: 0,
      marker: true,
      sequenceNumber: 0x1234,
      timestamp: 160,
      ssrc: 0xdeadbeef,
      payload: Uint8Array.of(7, 8, 9),
    });
  });

  test.each([
    ['too short', [0x80, 0, 0, 0]],
    ['version 1', [0x40, ...new Array<number>(11).fill(0)]],
    ['an extension beyond the end', [0x90, ...new Array<number>(11).fill(0), 0, 0, 0, 1]],
    ['CSRCs beyond the end', [0x8f, ...new Array<number>(20).fill(0)]],
    ['padding of 0', [0xa0, ...new Array<number>(12).fill(0)]],
    ['padding beyond the payload', [0xa0, ...new Array<number>(11).fill(0), 5]],
  ])('%s is refused', (_, bytes) => {
    expect(readRtp(Uint8Array.from(bytes))).toBeNull();
  });

  test('any bytes are read or refused, never thrown at', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readRtp(bytes)));
  });
});
