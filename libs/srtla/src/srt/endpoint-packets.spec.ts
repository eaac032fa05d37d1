import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  markRetransmitted,
  SRT_PACKET_MAX_BYTES,
  writeConclusion,
  writeDataHeader,
  writeFullAck,
  writeNak,
} from './endpoint-packets.ts';
import { addSequence, SEQUENCE_MASK } from './sequence.ts';
import { guarded, viewOf } from './spec-views.ts';
import { acknowledgedSequence, ackNumber, ackRttUs, ackRttVarianceUs } from './srt-ack.ts';
import { HandshakeType, parseHandshake } from './srt-handshake.ts';
import { NakReader } from './srt-nak.ts';
import { dataSequence, destinationSocketId, isRetransmitted, SrtKind, srtKind, srtTimestampUs } from './srt-packet.ts';

const OFFSET = 7;
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const sequence = fc.integer({ min: 0, max: SEQUENCE_MASK });

const FIELDS = {
  timestampUs: 0x0aa8,
  destinationSocketId: 0,
  initialSequence: 0x705b7926,
  mtuBytes: 1500,
  flowWindowPackets: 8192,
  socketId: 0x38bb6527,
  cookie: 0xc4d17aa7,
  peerAddress: Uint8Array.from([1, 0, 0, 127, ...new Array<number>(12).fill(0)]),
};
const OPTIONS = { isResponse: false, srtVersion: 0x010501, flags: 0xbf, receiverDelayMs: 120, senderDelayMs: 200 };

test('a conclusion is byte for byte what libsrt makes of the same settings', () => {
  const out = new Uint8Array(SRT_PACKET_MAX_BYTES);
  const length = writeConclusion(out, FIELDS, OPTIONS, 'live/1');
  expect(Buffer.from(out.subarray(0, length)).toString('hex')).toBe(
    '800000000000000000000aa8000000000000000500000005705b7926000005dc00002000ffffffff38bb6527c4d17aa7' +
      '0100007f000000000000000000000000' +
      '0001000300010501000000bf007800c8' +
      '000500026576696c0000312f',
  );
});

test('a conclusion is read as it was written, whatever its stream id', () => {
  fc.assert(
    fc.property(fc.option(fc.stringMatching(/^[!-~]{1,512}$/)), fc.boolean(), (streamId, isResponse) => {
      const out = new Uint8Array(SRT_PACKET_MAX_BYTES);
      const length = writeConclusion(out, FIELDS, { ...OPTIONS, isResponse }, streamId);
      const packet = out.slice(0, length);
      expect(parseHandshake(guarded(packet, OFFSET), OFFSET, length)).toMatchObject({
        ...FIELDS,
        type: HandshakeType.conclusion,
        options: { ...OPTIONS, isResponse },
        streamId,
      });
    }),
  );
});

test('a data packet goes out again as it was, but for one bit', () => {
  fc.assert(
    fc.property(sequence, uint32, uint32, uint32, (number, message, timestampUs, destination) => {
      const packet = new Uint8Array(20);
      const view = viewOf(packet);
      writeDataHeader(view, 0, number, message, timestampUs, destination);
      expect(srtKind(view, 0, packet.length)).toBe(SrtKind.data);
      expect([dataSequence(view, 0), srtTimestampUs(view, 0), destinationSocketId(view, 0)]).toEqual([
        number,
        timestampUs,
        destination,
      ]);
      expect(isRetransmitted(view, 0)).toBe(false);
      const before = packet.slice();
      markRetransmitted(view, 0);
      expect(isRetransmitted(view, 0)).toBe(true);
      before[4] |= 4;
      expect(packet).toEqual(before);
    }),
  );
});

test('a full ACK is read as it was written', () => {
  const packet = new Uint8Array(44);
  const view = viewOf(packet);
  const ack = { number: 9, sequence: SEQUENCE_MASK, rttUs: 5000, rttVarianceUs: 700, freePackets: 8000 };
  const length = writeFullAck(view, 0, { ...ack, packetsPerSecond: 500, bytesPerSecond: 658_000 }, 1, 2);
  expect([length, srtKind(view, 0, length)]).toEqual([44, SrtKind.ack]);
  expect([ackNumber(view, 0), acknowledgedSequence(view, 0)]).toEqual([9, SEQUENCE_MASK]);
  expect([ackRttUs(view, 0, length), ackRttVarianceUs(view, 0, length)]).toEqual([5000, 700]);
});

test('a NAK is read as it was written, across the wrap too, and keeps to its room', () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 1 });
  fc.assert(
    fc.property(sequence, gaps, fc.integer({ min: 24, max: 400 }), (start, spread, room) => {
      let at = start;
      const ranges = spread.map(([gap, length]) => {
        const first = addSequence(at, gap);
        at = addSequence(first, length + 1);
        return { first, last: addSequence(first, length) };
      });
      const packet = new Uint8Array(SRT_PACKET_MAX_BYTES);
      const length = writeNak(viewOf(packet), 0, ranges, 0, 5, room);
      expect(length).toBeLessThanOrEqual(room);
      const reader = new NakReader();
      const read: { first: number; last: number }[] = [];
      reader.begin(viewOf(packet), 0, length);
      while (reader.next()) read.push({ first: reader.first, last: reader.last });
      expect(read.length).toBeGreaterThan(0);
      expect(read).toEqual(ranges.slice(0, read.length));
      if (room === 400 && ranges.length <= 40) expect(read).toEqual(ranges);
    }),
  );
});
