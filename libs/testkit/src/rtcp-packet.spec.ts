import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readRtcp, writeRtcp } from './rtcp-packet.ts';

const uint32 = fc.nat(0xffffffff);
const reports = fc.array(
  fc.record({
    ssrc: uint32,
    fractionLost: fc.nat(255),
    cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
    extendedSequence: uint32,
    jitter: uint32,
    lastSr: uint32,
    delaySinceLastSr: uint32,
  }),
  { maxLength: 31 },
);
const sender = {
  ntpSeconds: uint32,
  ntpFraction: uint32,
  rtpTimestamp: uint32,
  packetCount: uint32,
  octetCount: uint32,
};
const text = fc.string({ maxLength: 80 });
const packet = fc.oneof(
  fc.record({ type: fc.constant('SR' as const), ssrc: uint32, ...sender, reports }),
  fc.record({ type: fc.constant('RR' as const), ssrc: uint32, reports }),
  fc.record({ type: fc.constant('SDES' as const), ssrc: uint32, cname: text }),
  fc.record({ type: fc.constant('BYE' as const), ssrcs: fc.array(uint32, { maxLength: 31 }), reason: text }),
);
const compound = fc.array(packet, { minLength: 1, maxLength: 4 });

describe('RTCP packets', () => {
  test('what is written is read', () => {
    fc.assert(fc.property(compound, (packets) => expect(readRtcp(writeRtcp(packets))).toEqual(packets)));
  });

  test('an SR with one block, octet by octet (RFC 3550 6.4.1)', () => {
    const hex =
      '81c8000c' +
      '00000001' +
      '83aa7e80' +
      '80000000' +
      '00000320' +
      '0000000a' +
      '00000640' +
      '00000002' +
      '10fffffe' +
      '00010005' +
      '00000007' +
      '7e808000' +
      '00010000';
    expect(readRtcp(Buffer.from(hex, 'hex'))).toEqual([
      {
        type: 'SR',
        ssrc: 1,
        ntpSeconds: 0x83aa7e80,
        ntpFraction: 0x80000000,
        rtpTimestamp: 800,
        packetCount: 10,
        octetCount: 1600,
        reports: [
          {
            ssrc: 2,
            fractionLost: 16,
            cumulativeLost: -2,
            extendedSequence: 65541,
            jitter: 7,
            lastSr: 0x7e808000,
            delaySinceLastSr: 65536,
          },
        ],
      },
    ]);
  });

  test('an unknown packet type in a compound is passed over; a cut compound is refused', () => {
    const app = Uint8Array.of(0x80, 204, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4);
    expect(readRtcp(app)).toEqual([{ type: 'other', packetType: 204 }]);
    expect(readRtcp(app.subarray(0, 11))).toBeNull();
    expect(readRtcp(new Uint8Array(0))).toBeNull();
    expect(readRtcp(Uint8Array.of(0x81, 201, 0, 1, 0, 0, 0, 1))).toBeNull();
  });

  test('any bytes are read or refused, never thrown at', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void readRtcp(bytes)));
  });
});
