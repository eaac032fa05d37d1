import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, guarded, viewOf } from './spec-views.ts';
import {
  controlInformation,
  controlType,
  dataSequence,
  destinationSocketId,
  isRetransmitted,
  isSrtData,
  SRT_HEADER_BYTES,
  SRT_KIND_NAMES,
  SrtControlType,
  SrtKind,
  srtKind,
  srtTimestampUs,
  writeControlHeader,
} from './srt-packet.ts';

/** A packet of `length` bytes that begins with `hex`. */
function packet(hex: string, length: number) {
  const bytes = new Uint8Array(length);
  bytes.set(bytesOf(hex).subarray(0, length));
  return bytes;
}
const kindOf = (bytes: Uint8Array) => srtKind(viewOf(bytes), 0, bytes.length);

describe('data packets', () => {
  // Sequence 0x7fffffff, alone in its message, in order, even key, message 5, 100,000 us, to socket 0x2a.
  const DATA = '7fffffff e8000005 000186a0 0000002a 47';

  test('are read by their fields', () => {
    const view = guarded(bytesOf(DATA), 9);
    expect(srtKind(view, 9, 17)).toBe(SrtKind.data);
    expect(isSrtData(view, 9, 17)).toBe(true);
    expect(dataSequence(view, 9)).toBe(0x7fffffff);
    expect(isRetransmitted(view, 9)).toBe(false);
    expect(srtTimestampUs(view, 9)).toBe(100_000);
    expect(destinationSocketId(view, 9)).toBe(42);
  });

  test('that were sent before have R set, whatever the flags around it', () => {
    for (const flags of ['04', 'ec', 'ff', 'cc'])
      expect(isRetransmitted(viewOf(bytesOf(`00000001 ${flags}`)), 0)).toBe(true);
    for (const flags of ['00', 'e8', 'fb', 'c8'])
      expect(isRetransmitted(viewOf(bytesOf(`00000001 ${flags}`)), 0)).toBe(false);
  });

  test('have a header at least', () => {
    expect(kindOf(packet(DATA, 16))).toBe(SrtKind.data);
    expect(kindOf(packet(DATA, 15))).toBe(SrtKind.unknown);
    expect(isSrtData(viewOf(packet(DATA, 15)), 0, 15)).toBe(false);
  });
});

describe('control packets', () => {
  test.each([
    ['handshake', '8000', 64],
    ['keepalive', '8001', 16],
    ['ack', '8002', 20],
    ['nak', '8003', 20],
    ['congestionWarning', '8004', 16],
    ['shutdown', '8005', 16],
    ['ackack', '8006', 16],
    ['dropRequest', '8007', 24],
    ['peerError', '8008', 16],
    ['userDefined', 'ffff', 16],
  ])('%s', (name, type, least) => {
    const at = (length: number) => SRT_KIND_NAMES[kindOf(packet(type, length))];
    expect(at(least)).toBe(name);
    expect(at(least + 100)).toBe(name);
    expect(at(least - 1)).toBe('unknown');
    expect(isSrtData(viewOf(packet(type, least)), 0, least)).toBe(false);
  });

  test('of the bonding layer and of types unheard of are unknown', () => {
    for (const type of ['8009', '9000', '9100', '9200', '9201', '9202', '9210', '9211', '9212', 'fffe']) {
      expect(kindOf(packet(type, 258))).toBe(SrtKind.unknown);
    }
    expect(controlType(viewOf(packet('9211', 16)), 0)).toBe(0x1211);
  });

  test('are written as they are read', () => {
    const view = new DataView(new ArrayBuffer(40));
    writeControlHeader(view, 3, SrtControlType.ackack, 0xfffffffe, 0x80000001, 0x3ad7c2a4);
    expect(srtKind(view, 3, SRT_HEADER_BYTES)).toBe(SrtKind.ackack);
    expect(controlInformation(view, 3)).toBe(0xfffffffe);
    expect(srtTimestampUs(view, 3)).toBe(0x80000001);
    expect(destinationSocketId(view, 3)).toBe(0x3ad7c2a4);
  });
});

test('whatever the bytes: a kind, and nothing read outside', () => {
  const bytes = fc
    .tuple(fc.constantFrom('80', '90', 'ff', '00', '7f'), fc.uint8Array({ maxLength: 80 }))
    .map(([first, rest]) => Uint8Array.from([...bytesOf(first), ...rest]));
  fc.assert(
    fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 80 })), fc.nat(40), (datagram, offset) => {
      const view = guarded(datagram, offset);
      const kind = srtKind(view, offset, datagram.length);
      expect(SRT_KIND_NAMES[kind]).toBeDefined();
      expect(isSrtData(view, offset, datagram.length)).toBe(kind === SrtKind.data);
      if (kind === SrtKind.unknown) return;
      // What the header's readers want is there.
      expect(dataSequence(view, offset)).toBeLessThan(2 ** 31);
      isRetransmitted(view, offset);
      controlInformation(view, offset);
      srtTimestampUs(view, offset);
      destinationSocketId(view, offset);
    }),
    { numRuns: 2000 },
  );
});
