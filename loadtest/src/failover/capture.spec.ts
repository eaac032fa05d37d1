import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCapture } from './capture.ts';

const DATA_BYTES = 20;

function fileHeader(linkType = 276): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(linkType, 20);
  return header;
}

/** A record of one UDP datagram that left by interface `by`. */
function record(seconds: number, microseconds: number, by: number, payload: Buffer, protocol = 17): Buffer {
  const frame = Buffer.alloc(20 + 20 + 8);
  frame.writeUInt16BE(0x0800, 0);
  frame.writeUInt32BE(by, 4);
  frame[20] = 0x45;
  frame[29] = protocol;
  const header = Buffer.alloc(16);
  header.writeUInt32LE(seconds, 0);
  header.writeUInt32LE(microseconds, 4);
  header.writeUInt32LE(frame.length + payload.length, 8);
  return Buffer.concat([header, frame, payload]);
}

function srt(sequence: number, isRetransmission = false): Buffer {
  const packet = Buffer.alloc(DATA_BYTES);
  packet.writeUInt32BE(sequence, 0);
  packet.writeUInt32BE(isRetransmission ? 0x0400_0001 : 1, 4);
  return packet;
}

describe('a capture', () => {
  test('has data packets with their time and interface; a run of segments is several', () => {
    const file = Buffer.concat([
      fileHeader(),
      record(100, 250_000, 3, srt(7)),
      record(101, 0, 4, Buffer.concat([srt(8), srt(5, true)])),
    ]);
    expect(parseCapture(file, DATA_BYTES)).toEqual([
      { unixMs: 100_250, interface: 3, sequence: 7, isRetransmission: false },
      { unixMs: 101_000, interface: 4, sequence: 8, isRetransmission: false },
      { unixMs: 101_000, interface: 4, sequence: 5, isRetransmission: true },
    ]);
  });

  test('control packets, other protocols and a record that is cut short are left out', () => {
    const file = Buffer.concat([
      fileHeader(),
      record(100, 0, 3, srt(0x8000_0002)),
      record(100, 0, 3, srt(9), 6),
      record(100, 0, 3, Buffer.alloc(2)),
      record(100, 0, 3, srt(10)).subarray(0, 60),
    ]);
    expect(parseCapture(file, DATA_BYTES)).toEqual([]);
  });

  test('another file is refused', () => {
    expect(() => parseCapture(Buffer.from('no capture at all, but long enough'), DATA_BYTES)).toThrow('no pcap file');
    expect(() => parseCapture(fileHeader(113), DATA_BYTES)).toThrow('link type 113');
  });

  test('any bytes after the header are borne', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        parseCapture(Buffer.concat([fileHeader(), bytes]), DATA_BYTES);
      }),
    );
  });
});
