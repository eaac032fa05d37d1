import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  RejectionReason,
  SHUTDOWN_BYTES,
  writeInductionRequest,
  writeInductionResponse,
  writeRejection,
  writeShutdown,
} from './handshake-replies.ts';
import { bytesOf, guarded, viewOf } from './spec-views.ts';
import {
  callerLatencyMs,
  ExtensionType,
  HANDSHAKE_BYTES,
  HandshakeType,
  parseHandshake,
  rejectionReason,
  setCookie,
  SRT_MAGIC,
  writeHandshakeFields,
} from './srt-handshake.ts';
import type { Handshake } from './srt-handshake.ts';
import { destinationSocketId, SrtKind, srtKind } from './srt-packet.ts';
import { encodeStreamId } from './stream-id.ts';

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const words = (hex: string) => hex.replace(/\s/g, '');

/** Parsed at an offset, with bytes on both sides that may not be read. */
function parse(hex: string | Uint8Array): Handshake | null {
  const bytes = typeof hex === 'string' ? bytesOf(hex) : hex;
  return parseHandshake(guarded(bytes, 13), 13, bytes.length);
}

function parsed(hex: string | Uint8Array): Handshake {
  const handshake = parse(hex);
  if (handshake === null) throw new Error('No handshake');
  return handshake;
}

// Version 4, no key, UDT_DGRAM, initial 0x705b7926, MTU 1500, window 8192, type 1, socket 0x38bb6527, no cookie, 127.0.0.1.
const INDUCTION =
  '80000000 00000000 000000d5 00000000 00000004 00000002 705b7926 000005dc 00002000 00000001 38bb6527 00000000' +
  '0100007f 00000000 00000000 00000000';
const CONCLUSION =
  '80000000 00000000 00000aa8 00000000 00000005 00020007 705b7926 000005dc 00002000 ffffffff 38bb6527 c4d17aa7' +
  '0100007f 00000000 00000000 00000000';
// SRT 1.5.1, all flags but STREAM, receives after 120 ms, has it received after 200 ms.
const HSREQ = '00010003 00010501 000000bf 007800c8';
const STREAM_ID = '00050002 6576696c 0000312f';

describe('parseHandshake', () => {
  test('reads an induction', () => {
    expect(parsed(INDUCTION)).toEqual({
      timestampUs: 0xd5,
      destinationSocketId: 0,
      version: 4,
      encryption: 0,
      extensionField: 2,
      initialSequence: 0x705b7926,
      mtuBytes: 1500,
      flowWindowPackets: 8192,
      type: HandshakeType.induction,
      socketId: 0x38bb6527,
      cookie: 0,
      peerAddress: bytesOf('0100007f 00000000 00000000 00000000'),
      extensions: [],
      options: null,
      streamId: null,
    });
  });

  test('reads a conclusion with its extensions', () => {
    const handshake = parsed(CONCLUSION + HSREQ + STREAM_ID + '00070001 63656600 00080002 00000001 02000005');
    expect(handshake).toMatchObject({ version: 5, encryption: 2, extensionField: 7, type: HandshakeType.conclusion });
    expect(handshake.cookie).toBe(0xc4d17aa7);
    expect(handshake.options).toEqual({
      isResponse: false,
      srtVersion: 0x010501,
      flags: 0xbf,
      receiverDelayMs: 120,
      senderDelayMs: 200,
    });
    expect(handshake.streamId).toBe('live/1');
    expect(handshake.extensions.map(({ type }) => type)).toEqual([
      ExtensionType.hsRequest,
      ExtensionType.streamId,
      ExtensionType.filter,
      ExtensionType.group,
    ]);
    expect(handshake.extensions[3].contents).toEqual(bytesOf('0000000102000005'));
  });

  test('keeps extensions unheard of, and copies what it keeps', () => {
    const bytes = bytesOf(CONCLUSION + '7abc0001 01020304 7abd0000');
    const handshake = parsed(bytes);
    const view = viewOf(bytes);
    const again = parseHandshake(view, 0, bytes.length);
    bytes.fill(0);
    expect(again).toEqual(handshake);
    expect(handshake.extensions).toEqual([
      { type: 0x7abc, contents: bytesOf('01020304') },
      { type: 0x7abd, contents: bytesOf('') },
    ]);
  });

  test.each([
    ['one byte short', INDUCTION.slice(0, -2)],
    ['another control packet', INDUCTION.replace('80000000', '80010000')],
    ['data', INDUCTION.replace('80000000', '00000000')],
    ['an extension header cut off', CONCLUSION + '0001'],
    ['loose bytes behind the last extension', CONCLUSION + HSREQ + '00'],
    ['an extension over the end', CONCLUSION + '00010004 00010501 000000bf 007800c8'],
    ['an HSREQ of two words', CONCLUSION + '00010002 00010501 000000bf'],
    ['an HSREQ and an HSRSP', CONCLUSION + HSREQ + HSREQ.replace('00010003', '00020003')],
    ['an empty stream id', CONCLUSION + '00050000'],
    ['a stream id of 516 bytes', CONCLUSION + '00050081' + '61'.repeat(516)],
    ['two stream ids', CONCLUSION + STREAM_ID + STREAM_ID],
  ])('refuses %s', (_, hex) => {
    expect(parse(hex)).toBeNull();
  });

  test('takes a stream id of 512 bytes', () => {
    expect(parsed(CONCLUSION + '00050080' + '61'.repeat(512)).streamId).toBe('a'.repeat(512));
  });

  test('does not look behind the fixed part of other stages and of version 4', () => {
    for (const type of ['00000001', '00000000', 'fffffffe', '000003ea']) {
      expect(parsed(CONCLUSION.replace('ffffffff', type) + '0005ffff 00').extensions).toEqual([]);
    }
    expect(parsed(CONCLUSION.replace('00000005', '00000004') + '0005ffff').extensions).toEqual([]);
  });

  test('cut at any length it is refused or ends between two extensions', () => {
    const whole = bytesOf(CONCLUSION + HSREQ + STREAM_ID);
    const taken = Array.from(whole, (_, length) => length).filter((length) => parse(whole.subarray(0, length)));
    expect(taken).toEqual([64, 80]);
  });

  test('whatever the bytes: reads nothing outside', () => {
    const extension = fc
      .tuple(fc.nat(9), fc.nat(5), fc.uint8Array({ maxLength: 24 }))
      .map(([type, length, body]) => [0, type, 0, length, ...body]);
    const tail = fc.oneof(
      fc.array(extension, { maxLength: 4 }).map((all) => all.flat()),
      fc.array(fc.nat(255), { maxLength: 60 }),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 48, maxLength: 48 }),
        fc.boolean(),
        tail,
        fc.nat(5),
        (fixed, concludes, rest, cut) => {
          const bytes = Uint8Array.from([...bytesOf(CONCLUSION).subarray(0, 16), ...fixed, ...rest]);
          if (concludes) bytes.set(bytesOf('00000005'), 16);
          if (concludes) bytes.set(bytesOf('ffffffff'), 36);
          const handshake = parse(bytes.subarray(0, bytes.length - cut));
          if (handshake === null) return;
          const kept = handshake.extensions.reduce((sum, { contents }) => sum + 4 + contents.length, 0);
          expect(kept).toBe(concludes ? bytes.length - cut - HANDSHAKE_BYTES : kept);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('whatever the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (srtKind(viewOf(bytes), 0, bytes.length) !== SrtKind.handshake) expect(parse(bytes)).toBeNull();
      }),
    );
  });
});

describe('callerLatencyMs', () => {
  test('is the greater of what the caller asks for its packets and the listener for what it gets', () => {
    const request = { isResponse: false, srtVersion: 0, flags: 0, receiverDelayMs: 900, senderDelayMs: 200 };
    const response = { isResponse: true, srtVersion: 0, flags: 0, receiverDelayMs: 120, senderDelayMs: 800 };
    expect(callerLatencyMs(request, response)).toBe(200);
    expect(callerLatencyMs({ ...request, senderDelayMs: 80 }, response)).toBe(120);
  });
});

describe('what we send', () => {
  const out = new Uint8Array(100).fill(0xff);
  const sent = (length: number) => hexOf(out.subarray(0, length));

  test('an induction in a caller’s name is that caller’s own', () => {
    expect(writeInductionRequest(out, parsed(INDUCTION), 0xd5)).toBe(HANDSHAKE_BYTES);
    expect(sent(HANDSHAKE_BYTES)).toBe(words(INDUCTION));
    // In the name of the conclusion it is the same, but for the time.
    writeInductionRequest(out, parsed(CONCLUSION + HSREQ), 0xd5);
    expect(sent(HANDSHAKE_BYTES)).toBe(words(INDUCTION));
  });

  test('an induction is answered as libsrt does', () => {
    expect(writeInductionResponse(out, parsed(INDUCTION), 0xdeadbeef, 0x7b206)).toBe(HANDSHAKE_BYTES);
    expect(sent(HANDSHAKE_BYTES)).toBe(
      words(
        '80000000 00000000 0007b206 38bb6527 00000005 00004a17 705b7926 000005dc 00002000 00000001 38bb6527 deadbeef' +
          '0100007f 00000000 00000000 00000000',
      ),
    );
    expect(parsed(out.slice(0, HANDSHAKE_BYTES))).toMatchObject({ extensionField: SRT_MAGIC, cookie: 0xdeadbeef });
  });

  test('a refusal carries 1000 more than its reason, and no extensions', () => {
    expect(writeRejection(out, parsed(CONCLUSION + HSREQ + STREAM_ID), RejectionReason.unauthorized, 7)).toBe(64);
    const refusal = parsed(out.slice(0, 64));
    expect(refusal).toMatchObject({ destinationSocketId: 0x38bb6527, type: 2401, version: 5, streamId: null });
    expect(rejectionReason(refusal)).toBe(1401);
    writeRejection(out, parsed(CONCLUSION), RejectionReason.peer, 7);
    expect(rejectionReason(parsed(out.slice(0, 64)))).toBe(2);
  });

  test('a stage is no refusal', () => {
    for (const type of [0, 1, 999, 0x80000000, 0xfffffffd, 0xfffffffe, 0xffffffff]) {
      expect(rejectionReason({ ...parsed(INDUCTION), type })).toBeNull();
    }
    expect(rejectionReason({ ...parsed(INDUCTION), type: 1000 })).toBe(0);
    expect(rejectionReason({ ...parsed(INDUCTION), type: 0x7fffffff })).toBe(0x7fffffff - 1000);
  });

  test('another cookie changes nothing else of a conclusion', () => {
    const bytes = bytesOf('ff' + CONCLUSION + HSREQ + STREAM_ID + 'ff');
    setCookie(viewOf(bytes), 1, 0xfeedface);
    expect(hexOf(bytes)).toBe(words('ff' + CONCLUSION.replace('c4d17aa7', 'feedface') + HSREQ + STREAM_ID + 'ff'));
  });

  test('a shutdown', () => {
    expect(writeShutdown(out, 0x3bd7c2a4, 0x3562ac)).toBe(SHUTDOWN_BYTES);
    expect(sent(SHUTDOWN_BYTES)).toBe('8005000000000000003562ac3bd7c2a400000000');
    expect(srtKind(viewOf(out), 0, SHUTDOWN_BYTES)).toBe(SrtKind.shutdown);
    expect(destinationSocketId(viewOf(out), 0)).toBe(0x3bd7c2a4);
  });

  test('goes into the caller’s memory at its offset, and not behind its end', () => {
    const arena = new Uint8Array(100);
    writeInductionRequest(arena.subarray(10, 90), parsed(INDUCTION), 0xd5);
    expect(hexOf(arena)).toBe('00'.repeat(10) + words(INDUCTION) + '00'.repeat(26));
  });

  test('what is written is read back', () => {
    const uint32 = () => fc.nat(0xffffffff);
    const fields = fc.record({
      timestampUs: uint32(),
      destinationSocketId: uint32(),
      version: uint32(),
      encryption: fc.nat(0xffff),
      extensionField: fc.nat(0xffff),
      initialSequence: fc.nat(0x7fffffff),
      mtuBytes: uint32(),
      flowWindowPackets: uint32(),
      type: uint32(),
      socketId: uint32(),
      cookie: uint32(),
      peerAddress: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    });
    fc.assert(
      fc.property(fields, (handshake) => {
        writeHandshakeFields(out, handshake);
        expect(parsed(out.slice(0, HANDSHAKE_BYTES))).toMatchObject(handshake);
      }),
    );
  });

  test('a stream id of any text comes through a conclusion', () => {
    const text = fc.string({ minLength: 1, maxLength: 200, unit: fc.constantFrom(...'abc/=,#!:é€') });
    fc.assert(
      fc.property(text, (id) => {
        const contents = encodeStreamId(id);
        fc.pre(contents.length <= 512);
        const length = (contents.length / 4).toString(16).padStart(4, '0');
        expect(parsed(CONCLUSION + HSREQ + `0005${length}` + hexOf(contents)).streamId).toBe(id);
      }),
    );
  });
});
