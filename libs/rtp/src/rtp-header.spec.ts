import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ParseError } from './errors.ts';
import { csrcAt, NO_EXTENSION, parseRtpHeader, rewriteRtp, RtpHeader, writeRtpHeader } from './rtp-header.ts';

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function parse(hex: string) {
  const bytes = bytesOf(hex);
  const header = new RtpHeader();
  return { bytes, view: viewOf(bytes), header, error: parseRtpHeader(viewOf(bytes), 0, bytes.length, header) };
}

describe('parseRtpHeader', () => {
  test('reads a plain packet', () => {
    const { header, error } = parse('80 e0 ffff 80000001 fedcba98 d5d5d5');
    expect(error).toBe(ParseError.none);
    expect(header).toMatchObject({ marker: true, payloadType: 96, sequence: 0xffff, csrcCount: 0, paddingLength: 0 });
    expect(header.timestamp >>> 0).toBe(0x80000001);
    expect(header.ssrc >>> 0).toBe(0xfedcba98);
    expect(header).toMatchObject({ extensionProfile: NO_EXTENSION, payloadOffset: 12, payloadLength: 3 });
  });

  // The packet of pion/rtp's TestBasic: one-byte extension profile with one word, padding bit and four bytes of padding.
  test('reads extension and padding', () => {
    const { header, error } = parse('b0 e0 698f d9c293da 1c642782 0001 0001 ffffffff 98 36 be 88 04000004');
    expect(error).toBe(ParseError.none);
    expect(header).toMatchObject({ marker: true, payloadType: 96, sequence: 27023, paddingLength: 4 });
    expect(header.timestamp >>> 0).toBe(3653407706);
    expect(header).toMatchObject({ extensionProfile: 1, extensionOffset: 16, extensionLength: 4 });
    expect(header).toMatchObject({ payloadOffset: 20, payloadLength: 4 });
  });

  test('reads contributing sources', () => {
    const { header, view, error } = parse('82 00 0001 00000002 00000003 11111111 eeeeeeee 55');
    expect(error).toBe(ParseError.none);
    expect(header).toMatchObject({ csrcCount: 2, payloadOffset: 20, payloadLength: 1 });
    expect(csrcAt(view, 0, 1) >>> 0).toBe(0xeeeeeeee);
  });

  test('takes an empty payload, and a payload that is all padding', () => {
    expect(parse('80 00 0001 00000002 00000003')).toMatchObject({
      error: ParseError.none,
      header: { payloadLength: 0 },
    });
    expect(parse('a0 00 0001 00000002 00000003 000000 04')).toMatchObject({
      error: ParseError.none,
      header: { payloadLength: 0, paddingLength: 4 },
    });
  });

  test.each([
    ['one byte short', '80 00 0001 00000002 000000', ParseError.truncated],
    ['version 1', '40 00 0001 00000002 00000003', ParseError.version],
    ['CSRC past the end', '81 00 0001 00000002 00000003 000000', ParseError.csrc],
    ['no room for the extension header', '90 00 0001 00000002 00000003 bede', ParseError.extension],
    ['extension past the end', '90 00 0001 00000002 00000003 bede 0002 00000000', ParseError.extension],
    ['padding without payload', 'a0 00 0001 00000002 00000003', ParseError.padding],
    ['padding of 0', 'a0 00 0001 00000002 00000003 00', ParseError.padding],
    ['padding past the header', 'a0 00 0001 00000002 00000003 ff 03', ParseError.padding],
  ])('refuses %s', (_, hex, error) => {
    expect(parse(hex).error).toBe(error);
  });

  test('reads nothing outside the packet, whatever the bytes', () => {
    const header = new RtpHeader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(40), (packet, offset) => {
        // The view ends where the packet ends: a read past it would throw.
        const arena = new Uint8Array(offset + packet.length);
        arena.set(packet, offset);
        const error = parseRtpHeader(viewOf(arena), offset, packet.length, header);
        if (error !== ParseError.none) return;
        expect(header.payloadOffset).toBeGreaterThanOrEqual(offset + 12);
        expect(header.payloadLength).toBeGreaterThanOrEqual(0);
        expect(header.payloadOffset + header.payloadLength + header.paddingLength).toBe(offset + packet.length);
        expect(header.extensionOffset + header.extensionLength).toBe(header.payloadOffset);
      }),
      { numRuns: 2000 },
    );
  });
});

const int32 = () => fc.integer({ min: -0x80000000, max: 0x7fffffff });

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.nat(127),
      fc.boolean(),
      fc.nat(0xffff),
      int32(),
      int32(),
      (payloadType, marker, sequence, timestamp, ssrc) => {
        const view = new DataView(new ArrayBuffer(20));
        const header = new RtpHeader();
        const length = writeRtpHeader(view, 5, payloadType, marker, sequence, timestamp, ssrc);
        expect(parseRtpHeader(view, 5, length, header)).toBe(ParseError.none);
        expect(header).toMatchObject({ payloadType, marker, sequence, timestamp, ssrc, payloadOffset: 17 });
      },
    ),
  );
});

test('a rewrite leaves CSRC, extension, padding and payload alone', () => {
  const { bytes, view } = parse('b1 e0 698f d9c293da 1c642782 aaaaaaaa bede 0001 10ff0000 98 36 be 88 04000004');
  rewriteRtp(view, 0, 8, false, 0x1234, 0xffffffff, 0xcafebabe);
  expect(Buffer.from(bytes).toString('hex')).toBe(
    'b1081234ffffffffcafebabe' + 'aaaaaaaabede000110ff00009836be8804000004',
  );
});
