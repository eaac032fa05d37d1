import { describe, expect, test } from '@jest/globals';
import { bytesOf, guarded } from './spec-views.ts';
import { ackackNumber, acknowledgedSequence, ackNumber, ackRttUs, isLightAck } from './srt-ack.ts';
import { callerLatencyMs, ExtensionType, HandshakeType, parseHandshake, rejectionReason } from './srt-handshake.ts';
import { NakReader } from './srt-nak.ts';
import {
  dataSequence,
  destinationSocketId,
  isRetransmitted,
  SRT_KIND_NAMES,
  SrtKind,
  srtKind,
  srtTimestampUs,
} from './srt-packet.ts';
import { parseStreamId } from './stream-id.ts';

/**
 * Datagrams of srt-live-transmit 1.5.1, caller to listener through a relay on loopback that dropped 2 % of the data. The first session
 * has a passphrase (its key material is of a session long gone), the second, without, ran at 24,000 packets a second.
 */
const OFFSET = 5;

function open(hex: string) {
  const bytes = bytesOf(hex);
  const view = guarded(bytes, OFFSET);
  return { view, length: bytes.length, kind: SRT_KIND_NAMES[srtKind(view, OFFSET, bytes.length)] };
}

function handshake(hex: string) {
  const { view, length } = open(hex);
  const parsed = parseHandshake(view, OFFSET, length);
  if (parsed === null) throw new Error('No handshake');
  return parsed;
}

function losses(hex: string) {
  const { view, length, kind } = open(hex);
  expect(kind).toBe('nak');
  const reader = new NakReader();
  const ranges: string[] = [];
  reader.begin(view, OFFSET, length);
  while (reader.next()) ranges.push(`${reader.first.toString(16)}-${reader.last.toString(16)}`);
  return ranges;
}

describe('the handshake of an encrypted session with a stream id', () => {
  const caller = 0x38bb6527;
  const listener = 0x3bd7c2a4;

  test('induction and its answer, which names the caller’s own socket', () => {
    const request = handshake(
      '8000000000000000000000d5000000000000000400000002705b7926000005dc000020000000000138bb6527000000000100007f000000000000000000000000',
    );
    expect(request).toMatchObject({ type: HandshakeType.induction, version: 4, socketId: caller, cookie: 0 });
    const answer = handshake(
      '80000000000000000007b20638bb65270000000500024a17705b7926000005dc000020000000000138bb6527c4d17aa70100007f000000000000000000000000',
    );
    expect(answer).toMatchObject({ version: 5, extensionField: 0x4a17, destinationSocketId: caller, socketId: caller });
    expect(answer).toMatchObject({ encryption: 2, cookie: 0xc4d17aa7 });
  });

  test('conclusion: the stream id is in clear, between options and key material', () => {
    const request = handshake(
      '800000000000000000000aa8000000000000000500020007705b7926000005dc00002000ffffffff38bb6527c4d17aa70100007f000000000000000000000000' +
        '0001000300010501000000bf00c800c8' +
        '0005000d213332252541332525724133696c4433322565766d616346433225314433257563696c61433225654433256d6c627570006873690003000e' +
        '1220290100000000020002000000040423e90e3d5344254189c724de4b31ede80da8a2986ff5df3952c18df4982370d5e28cb432ec01d300',
    );
    expect(request).toMatchObject({ destinationSocketId: 0, socketId: caller, cookie: 0xc4d17aa7 });
    expect(request.extensions.map(({ type }) => type)).toEqual([
      ExtensionType.hsRequest,
      ExtensionType.streamId,
      ExtensionType.keyMaterialRequest,
    ]);
    // srt-live-transmit does not decode what stands percent-encoded in its URL.
    const streamId = decodeURIComponent(request.streamId ?? '');
    expect(parseStreamId(streamId)).toMatchObject({ resource: 'live/cam1', user: 'alice', mode: 'publish' });

    const response = handshake(
      '80000000000000000000055b38bb65270000000500020003705b7926000005dc00002000ffffffff3bd7c2a4c4d17aa70100007f000000000000000000000000' +
        '0002000300010501000000bf00c800c80004000e' +
        '1220290100000000020002000000040423e90e3d5344254189c724de4b31ede80da8a2986ff5df3952c18df4982370d5e28cb432ec01d300',
    );
    expect(response).toMatchObject({ destinationSocketId: caller, socketId: listener, streamId: null });
    expect(rejectionReason(response)).toBeNull();
    if (request.options === null || response.options === null) throw new Error('No options');
    expect(request.options).toMatchObject({ isResponse: false, srtVersion: 0x010501, senderDelayMs: 200 });
    // The listener was set to 120 ms and answers with the greater of both.
    expect(response.options).toMatchObject({ isResponse: true, receiverDelayMs: 200 });
    expect(callerLatencyMs(request.options, response.options)).toBe(200);
  });

  test('a packet and its retransmission', () => {
    const first = open('705b7926c8000001000f614d3bd7c2a4').view;
    const again = open('705b7926cc000001000f614d3bd7c2a4').view;
    expect([dataSequence(first, OFFSET), isRetransmitted(first, OFFSET)]).toEqual([0x705b7926, false]);
    expect([dataSequence(again, OFFSET), isRetransmitted(again, OFFSET)]).toEqual([0x705b7926, true]);
    expect(destinationSocketId(again, OFFSET)).toBe(listener);
  });

  test('losses, above 2^30', () => {
    expect(losses('80030000000000000011d63538bb6527705b7983')).toEqual(['705b7983-705b7983']);
    expect(losses('8003000000000000000f58bc38bb6527f05b7926705b7928')).toEqual(['705b7926-705b7928']);
  });

  test('acknowledgement, its answer, and the end', () => {
    const ack = open('8002000000000015001307e438bb6527705b79b1000001ec0000013a00001f8c00030d40000003df10366400');
    expect(ack.kind).toBe('ack');
    expect(acknowledgedSequence(ack.view, OFFSET)).toBe(0x705b79b1);
    expect(ackNumber(ack.view, OFFSET)).toBe(0x15);
    expect(ackRttUs(ack.view, OFFSET, ack.length)).toBe(492);
    const ackack = open('8006000000000002000fdf073bd7c2a400000000');
    expect([ackack.kind, ackackNumber(ackack.view, OFFSET)]).toEqual(['ackack', 2]);
    const end = open('8005000000000000003562ac3bd7c2a400000000');
    expect([end.kind, srtTimestampUs(end.view, OFFSET)]).toEqual(['shutdown', 0x3562ac]);
  });
});

describe('a session at a high rate', () => {
  test.each([
    ['light', '8002000000000000000fa6ca0dd21dbb0fa21ec2', 0, true, 0x0fa21ec2, 0],
    ['small', '800200000000006a0028196a0dd21dbb0fa2638a0000083b0000053c0000194a', 0x6a, false, 0x0fa2638a, 2107],
    [
      'full',
      '8002000000000001000f8d8b0dd21dbb0fa21e63000186a00000c35000001fa200004e20000003e8019e7c86',
      1,
      false,
      0x0fa21e63,
      100_000,
    ],
  ])('has %s ACKs', (_, hex, number, light, acknowledged, rttUs) => {
    const { view, length, kind } = open(hex);
    expect(kind).toBe(SRT_KIND_NAMES[SrtKind.ack]);
    expect(ackNumber(view, OFFSET)).toBe(number);
    expect(isLightAck(view, OFFSET, length)).toBe(light);
    expect(acknowledgedSequence(view, OFFSET)).toBe(acknowledged);
    expect(ackRttUs(view, OFFSET, length)).toBe(rttUs);
  });

  test('has NAKs of singles and ranges', () => {
    expect(losses('80030000000000000012063e0dd21dbb0fa21ec38fa21f6d0fa21f708fa2202e0fa2204c0fa220c40fa221f6')).toEqual([
      'fa21ec3-fa21ec3',
      'fa21f6d-fa21f70',
      'fa2202e-fa2204c',
      'fa220c4-fa220c4',
      'fa221f6-fa221f6',
    ]);
    expect(losses('80030000000000000014be430dd21dbb8fa22b870fa22b970fa22bdc')).toHaveLength(2);
  });
});
