import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { G711Codec } from './g711.ts';
import {
  decodeG711,
  encodeG711,
  g711Silence,
  linearToPcma,
  linearToPcmu,
  PCMA_TO_LINEAR,
  PCMA_TO_PCMU,
  PCMU_TO_LINEAR,
  PCMU_TO_PCMA,
  transcodeG711,
} from './g711.ts';
import { toneLevelDbfs } from './goertzel.ts';
import { DBM0_IN_DBFS } from './levels.ts';

const CODECS: G711Codec[] = ['PCMU', 'PCMA'];
const ENCODE = { PCMU: linearToPcmu, PCMA: linearToPcma };
const TO_LINEAR = { PCMU: PCMU_TO_LINEAR, PCMA: PCMA_TO_LINEAR };

/** [upper end of the segment, step] of the positive half: G.711 tables 1a and 2a, columns 1 to 3, in units of 2^-12 and 2^-13. */
const SEGMENTS: Record<G711Codec, { unit: number; segments: [number, number][] }> = {
  PCMU: {
    unit: 4,
    segments: [
      [31, 2],
      [95, 4],
      [223, 8],
      [479, 16],
      [991, 32],
      [2015, 64],
      [4063, 128],
      [8159, 256],
    ],
  },
  PCMA: {
    unit: 8,
    segments: [
      [32, 2],
      [64, 2],
      [128, 4],
      [256, 8],
      [512, 16],
      [1024, 32],
      [2048, 64],
      [4096, 128],
    ],
  },
};

/** Where the code changes, in 16-bit samples, from the published segments. */
function decisionValues(codec: G711Codec): number[] {
  const { unit, segments } = SEGMENTS[codec];
  const values: number[] = [];
  let at = 0;
  for (const [end, step] of segments) {
    // The first mu-law interval is half a step wide.
    if (codec === 'PCMU' && at === 0) values.push((at += 1) * unit);
    while (at < end) values.push((at += step) * unit);
  }
  return values.slice(0, -1);
}

describe('G.711', () => {
  test.each([
    ['PCMU', 0x00, -32124],
    ['PCMU', 0x80, 32124],
    ['PCMU', 0x8f, 16764],
    ['PCMU', 0x90, 15996],
    ['PCMU', 0xef, 132],
    ['PCMU', 0xf0, 120],
    ['PCMU', 0xfe, 8],
    ['PCMU', 0xff, 0],
    ['PCMU', 0x7f, 0],
    ['PCMA', 0xaa, 32256],
    ['PCMA', 0x2a, -32256],
    ['PCMA', 0x80, 5504],
    ['PCMA', 0x00, -5504],
    ['PCMA', 0xd4, 24],
    ['PCMA', 0xd5, 8],
    ['PCMA', 0x55, -8],
  ] as const)('%s byte %i is %i', (codec, byte, linear) => {
    expect(TO_LINEAR[codec][byte]).toBe(linear);
  });

  test.each(CODECS)('%s changes its code exactly at the decision values of the recommendation', (codec) => {
    const changes: number[] = [];
    for (let sample = 1; sample < 32768; sample++) {
      if (ENCODE[codec](sample) !== ENCODE[codec](sample - 1)) changes.push(sample);
    }
    expect(changes).toEqual(decisionValues(codec));
    expect(changes).toHaveLength(127);
  });

  test.each([
    ['PCMU', [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]],
    ['PCMA', [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4]],
  ] as const)('%s: the published digital milliwatt is 1 kHz at 0 dBm0 (G.711 tables 5 and 6)', (codec, period) => {
    const bytes = Uint8Array.from({ length: 160 }, (_, i) => period[i % 8]);
    const samples = new Int16Array(160);
    decodeG711(codec, bytes, 0, 160, samples, 0);
    expect(Math.abs(toneLevelDbfs(samples, 0, 160, 1000, 8000) - DBM0_IN_DBFS)).toBeLessThan(0.1);
  });

  test.each(CODECS)('%s gives every byte back, but for the second mu-law zero', (codec) => {
    for (let byte = 0; byte < 256; byte++) {
      const expected = codec === 'PCMU' && byte === 0x7f ? 0xff : byte;
      expect(ENCODE[codec](TO_LINEAR[codec][byte])).toBe(expected);
    }
  });

  test.each(CODECS)('%s never falls as the signal rises', (codec) => {
    const falls: number[] = [];
    let last = -32768;
    for (let sample = -32768; sample < 32768; sample++) {
      const linear = TO_LINEAR[codec][ENCODE[codec](sample)];
      if (linear < last) falls.push(sample);
      last = linear;
    }
    expect(falls).toEqual([]);
  });

  test('mu-law treats both signs alike; A-law, without a zero, mirrors at -1/2', () => {
    const different: number[] = [];
    for (let sample = 1; sample < 32768; sample++) {
      const mu = linearToPcmu(-sample) === (linearToPcmu(sample) ^ 0x80);
      const a = linearToPcma(-sample) === (linearToPcma(sample - 1) ^ 0x80);
      if (!mu || !a) different.push(sample);
    }
    expect(different).toEqual([]);
    expect(linearToPcmu(-32768)).toBe(0x00);
    expect(linearToPcma(-32768)).toBe(0x2a);
  });

  test('silence is the code of zero, and stays silence in the other law', () => {
    for (const codec of CODECS) expect(ENCODE[codec](0)).toBe(g711Silence(codec));
    expect(PCMU_TO_PCMA[0xff]).toBe(0xd5);
    expect(PCMA_TO_LINEAR[PCMU_TO_PCMA[0xff]]).toBe(8);
    expect(PCMA_TO_PCMU[0xd5]).toBe(0xfe);
  });

  test('block functions touch their range only', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CODECS),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.nat(8),
        fc.nat(8),
        (codec, payload, offset, outOffset) => {
          const bytes = new Uint8Array(payload.length + 16).fill(0x11);
          bytes.set(payload, offset);
          const samples = new Int16Array(payload.length + 16).fill(77);
          decodeG711(codec, bytes, offset, payload.length, samples, outOffset);
          const inside = samples.slice(outOffset, outOffset + payload.length);
          expect([...inside]).toEqual([...payload].map((byte) => TO_LINEAR[codec][byte]));
          expect(samples.filter((sample) => sample === 77).length).toBeGreaterThanOrEqual(16);

          const encoded = new Uint8Array(payload.length + 16).fill(0x11);
          encodeG711(codec, samples, outOffset, payload.length, encoded, offset);
          expect([...encoded.slice(offset, offset + payload.length)]).toEqual([...inside].map(ENCODE[codec]));

          const other: G711Codec = codec === 'PCMU' ? 'PCMA' : 'PCMU';
          transcodeG711(codec, bytes, offset, payload.length);
          expect([...bytes.slice(offset, offset + payload.length)]).toEqual([...inside].map(ENCODE[other]));
          expect([...bytes.slice(0, offset), ...bytes.slice(offset + payload.length)]).toEqual(
            new Array<number>(16).fill(0x11),
          );
        },
      ),
    );
  });
});
