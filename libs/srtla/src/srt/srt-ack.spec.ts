import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSequenceBefore } from './sequence.ts';
import { bytesOf, guarded } from './spec-views.ts';
import { ackackNumber, acknowledgedSequence, ackNumber, ackRttUs, ackRttVarianceUs, isLightAck } from './srt-ack.ts';
import { SrtKind, srtKind } from './srt-packet.ts';

/** All that an ACK tells. */
function read(hex: string) {
  const bytes = bytesOf(hex);
  const view = guarded(bytes, 7);
  expect(srtKind(view, 7, bytes.length)).toBe(SrtKind.ack);
  return {
    acknowledged: acknowledgedSequence(view, 7),
    number: ackNumber(view, 7),
    isLight: isLightAck(view, 7, bytes.length),
    rttUs: ackRttUs(view, 7, bytes.length),
    rttVarianceUs: ackRttVarianceUs(view, 7, bytes.length),
  };
}

const LIGHT = '80020000 00000000 000fa6ca 0dd21dbb 7fffffff';

describe('ACK', () => {
  test('full', () => {
    const full = '80020000 00000009 000f8d8b 0dd21dbb 0fa21e63 000186a0 0000c350 00001fa2 00004e20 000003e8 019e7c86';
    expect(read(full)).toEqual({
      acknowledged: 0x0fa21e63,
      number: 9,
      isLight: false,
      rttUs: 100_000,
      rttVarianceUs: 50_000,
    });
  });

  test('small, as libsrt sends it: with a number', () => {
    const small = '80020000 0000006a 0028196a 0dd21dbb 0fa2638a 0000083b 0000053c 0000194a';
    expect(read(small)).toMatchObject({ number: 0x6a, isLight: false, rttUs: 2107, rttVarianceUs: 1340 });
  });

  test('light', () => {
    expect(read(LIGHT)).toEqual({ acknowledged: 0x7fffffff, number: 0, isLight: true, rttUs: 0, rttVarianceUs: 0 });
  });

  test('light, filled with zeros to 32 bytes by a relay', () => {
    expect(read(LIGHT + '00'.repeat(12))).toMatchObject({ isLight: true, rttUs: 0 });
  });

  test('full, where the round trip rounds to nothing', () => {
    expect(read('80020000 00000009 000f8d8b 0dd21dbb 0fa21e63' + '00'.repeat(24)).isLight).toBe(false);
  });

  test('acknowledges what is below its number, not its number, on both sides of the wrap', () => {
    const { acknowledged } = read('80020000 00000001 00000000 0000002a 00000000');
    expect(isSequenceBefore(0x7fffffff, acknowledged)).toBe(true);
    expect(isSequenceBefore(acknowledged, acknowledged)).toBe(false);
    expect(isSequenceBefore(1, acknowledged)).toBe(false);
  });

  test('leaves bit 31 of the number out', () => {
    expect(read('80020000 00000001 00000000 0000002a c0000000').acknowledged).toBe(0x40000000);
  });
});

test('ACKACK says which ACK it answers', () => {
  expect(ackackNumber(guarded(bytesOf('80060000 00000226 000fb45f 3bd7c2a4'), 1), 1)).toBe(0x226);
});

test('no ACK of any length is read outside', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), fc.nat(20), (bytes, offset) => {
      bytes.set([0x80, 0x02]);
      const view = guarded(bytes, offset);
      expect(acknowledgedSequence(view, offset)).toBeLessThan(2 ** 31);
      expect(ackRttUs(view, offset, bytes.length)).toBeGreaterThanOrEqual(0);
      expect(ackRttVarianceUs(view, offset, bytes.length)).toBeGreaterThanOrEqual(0);
      expect(isLightAck(view, offset, bytes.length)).toBe(
        bytes.length < 32 || (bytes.length < 44 && ackRttUs(view, offset, bytes.length) === 0),
      );
    }),
  );
});
