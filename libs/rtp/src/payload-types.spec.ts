import { describe, expect, test } from '@jest/globals';
import type { Codec, CodecDescription } from './payload-types.ts';
import { fmtpValue, isSameEncoding, normalizeCodec } from './payload-types.ts';

const PCMU: Codec = { payloadType: 0, encodingName: 'PCMU', clockRateHz: 8000, channels: 1, fmtp: '', ptimeMs: 20 };

function codec(description: CodecDescription): Codec {
  const normal = normalizeCodec(description);
  if (normal === null) throw new Error(`refused: ${JSON.stringify(description)}`);
  return normal;
}

describe('normalizeCodec', () => {
  test('a static payload type says all', () => {
    expect(codec({ payloadType: 0 })).toEqual(PCMU);
    expect(codec({ payloadType: 0, encodingName: '', clockRateHz: 0, channels: 0, ptimeMs: 0 })).toEqual(PCMU);
    expect(codec({ payloadType: 9 })).toMatchObject({ encodingName: 'G722', clockRateHz: 8000 });
  });

  test('names are spelled as registered', () => {
    expect(codec({ payloadType: 0, encodingName: 'pcmu' })).toEqual(PCMU);
    expect(codec({ payloadType: 101, encodingName: 'Telephone-Event' }).encodingName).toBe('telephone-event');
    expect(codec({ payloadType: 97, encodingName: 'ILBC' }).encodingName).toBe('iLBC');
    expect(codec({ payloadType: 98, encodingName: 'speex', clockRateHz: 16_000 }).encodingName).toBe('SPEEX');
  });

  test('what is given is kept', () => {
    const opus = { payloadType: 111, encodingName: 'opus', clockRateHz: 48_000, channels: 2, fmtp: 'a=1', ptimeMs: 60 };
    expect(codec(opus)).toEqual(opus);
  });

  test.each<[string, CodecDescription]>([
    ['a dynamic type without a name', { payloadType: 96 }],
    ['an unassigned static type without a name', { payloadType: 2 }],
    ['a static type with the name of another', { payloadType: 0, encodingName: 'PCMA' }],
    ['a static type with another clock rate', { payloadType: 8, clockRateHz: 16_000 }],
    ['a type over 127', { payloadType: 128, encodingName: 'PCMU' }],
    ['a negative type', { payloadType: -1, encodingName: 'PCMU' }],
    ['a fraction', { payloadType: 0.5, encodingName: 'PCMU' }],
  ])('refuses %s', (_, description) => {
    expect(normalizeCodec(description)).toBeNull();
  });
});

test('encodings agree by name, clock rate and channels, not by payload type or packet time', () => {
  expect(isSameEncoding(PCMU, { ...PCMU, payloadType: 96, ptimeMs: 40, fmtp: 'x=1' })).toBe(true);
  expect(isSameEncoding(PCMU, codec({ payloadType: 8 }))).toBe(false);
  expect(isSameEncoding(PCMU, { ...PCMU, clockRateHz: 16_000 })).toBe(false);
  expect(isSameEncoding(PCMU, { ...PCMU, channels: 2 })).toBe(false);
  const ilbc = codec({ payloadType: 97, encodingName: 'iLBC', fmtp: 'mode=20' });
  expect(isSameEncoding(ilbc, { ...ilbc, fmtp: 'Mode = 20; x' })).toBe(true);
  expect(isSameEncoding(ilbc, { ...ilbc, fmtp: '' })).toBe(false);
});

test('fmtp parameters', () => {
  expect(fmtpValue('useinbandfec=1; maxplaybackrate=16000', 'MaxPlaybackRate')).toBe('16000');
  expect(fmtpValue('0-15', 'mode')).toBeUndefined();
  expect(fmtpValue('', 'mode')).toBeUndefined();
});
