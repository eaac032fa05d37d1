import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AudioError } from './errors.ts';
import { parseWav } from './wav-reader.ts';
import { maxWavDataBytes, WAV_HEADER_BYTES, WavGrowth, wavHeader } from './wav-writer.ts';

describe('wavHeader', () => {
  test('is the canonical one, byte for byte', () => {
    const hex = Buffer.from(wavHeader(320, 8000, 2)).toString('hex');
    expect(hex).toBe(
      '52494646' + '64010000' + '57415645' + '666d7420' + '10000000' + '0100' + '0200' + '401f0000' + '007d0000' +
        '0400' + '1000' + '64617461' + '40010000',
    ); // prettier-ignore
  });

  test('holds up to 4 GiB and refuses more', () => {
    for (const channels of [1, 2] as const) {
      const max = maxWavDataBytes(channels);
      const view = new DataView(wavHeader(max, 8000, channels).buffer);
      expect(view.getUint32(40, true)).toBe(max);
      expect(view.getUint32(4, true)).toBe(max + 36);
      expect(() => wavHeader(max + 2 * channels, 8000, channels)).toThrow(AudioError);
    }
  });
});

describe('WavGrowth', () => {
  test('at every moment the header is true for the audio that is in the file', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2 as const), fc.array(fc.nat(50), { maxLength: 20 }), (channels, appends) => {
        const growth = new WavGrowth(8000, channels);
        let file = growth.header();
        for (const frames of appends) {
          const bytes = frames * 2 * channels;
          const longer = new Uint8Array(growth.endOffset + growth.room(bytes));
          longer.set(file);
          file = longer;
          const before = parseWav(file);
          expect(before.declaredDataLength).toBe(growth.dataBytes);

          growth.commit(bytes);
          file.set(growth.header());
          expect(parseWav(file)).toMatchObject({ channels, declaredDataLength: file.length - WAV_HEADER_BYTES });
          expect(growth.endOffset).toBe(file.length);
        }
      }),
    );
  });

  test('stops at its bound, which is a whole number of frames', () => {
    const growth = new WavGrowth(8000, 2, 1001);
    expect(growth.maxDataBytes).toBe(1000);
    growth.commit(growth.room(640));
    expect(growth).toMatchObject({ dataBytes: 640, durationMs: 20, full: false });
    expect(growth.room(640)).toBe(360);
    growth.commit(360);
    expect(growth.full).toBe(true);
    expect(growth.room(640)).toBe(0);
    expect(() => growth.commit(4)).toThrow(AudioError);
  });

  test('never grows beyond what the format can say', () => {
    const growth = new WavGrowth(8000, 1);
    growth.commit(maxWavDataBytes(1) - 100);
    expect(growth.room(320)).toBe(100);
    growth.commit(100);
    expect(growth.full).toBe(true);
    expect(() => growth.header()).not.toThrow();
  });
});
