import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AudioError } from './errors.ts';
import type { AudioErrorCode } from './errors.ts';
import { PCMA_TO_LINEAR, PCMU_TO_LINEAR } from './g711.ts';
import { decodeWavFrames, parseWav } from './wav-reader.ts';
import { wavHeader } from './wav-writer.ts';

const u16 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number): number[] => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];
const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const chunk = (id: string, body: number[], declared = body.length): number[] => [
  ...ascii(id),
  ...u32(declared),
  ...body,
  ...(body.length % 2 === 1 ? [0] : []),
];
const fmt = (tag: number, channels: number, rate: number, bits: number, extra: number[] = []): number[] =>
  chunk('fmt ', [
    ...u16(tag),
    ...u16(channels),
    ...u32(rate),
    ...u32((rate * channels * bits) / 8),
    ...u16((channels * bits) / 8),
    ...u16(bits),
    ...extra,
  ]);
const riff = (chunks: number[][], declared?: number, id = 'RIFF'): Uint8Array => {
  const body = [...ascii('WAVE'), ...chunks.flat()];
  return Uint8Array.from([...ascii(id), ...u32(declared ?? body.length), ...body]);
};
const subFormat = (tag: number): number[] => [...u16(tag), 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
const PCM = fmt(1, 1, 8000, 16);

function codeOf(bytes: Uint8Array): AudioErrorCode | null {
  try {
    parseWav(bytes);
    return null;
  } catch (error) {
    if (error instanceof AudioError) return error.code;
    throw error;
  }
}

describe('parseWav', () => {
  test('the canonical 44-byte header', () => {
    expect(parseWav(riff([PCM, chunk('data', [1, 0, 2, 0])]))).toEqual({
      format: 'pcm16',
      sampleRateHz: 8000,
      channels: 1,
      dataOffset: 44,
      dataLength: 4,
      declaredDataLength: 4,
      frames: 2,
    });
  });

  test('chunks of any kind and odd length before, between and after', () => {
    const list = chunk('LIST', ascii('INFOx'));
    const bytes = riff([
      chunk('JUNK', [9]),
      list,
      fmt(1, 2, 44_100, 16, u16(0)),
      chunk('fact', u32(1)),
      chunk('bext', new Array<number>(603).fill(0)),
      chunk('data', [1, 0, 2, 0]),
      list,
    ]);
    const wav = parseWav(bytes);
    expect(wav).toMatchObject({ format: 'pcm16', sampleRateHz: 44_100, channels: 2, frames: 1, dataLength: 4 });
    expect([...bytes.slice(wav.dataOffset, wav.dataOffset + 4)]).toEqual([1, 0, 2, 0]);
  });

  test('a view into a larger buffer', () => {
    const file = riff([PCM, chunk('data', [1, 0, 2, 0])]);
    const around = new Uint8Array(file.length + 20).fill(0xaa);
    around.set(file, 7);
    expect(parseWav(around.subarray(7, 7 + file.length))).toEqual(parseWav(file));
  });

  test.each([
    ['0 with a form size that ends at the header', 0, 36],
    ['0 with a form size of 0', 0, 0],
    ['0 with a form size of 0xffffffff', 0, 0xffffffff],
    ['0xffffffff', 0xffffffff, 0xffffffff],
    ['beyond the end', 4000, 4036],
  ])('a data size that streaming writers leave: %s', (_, dataSize, formSize) => {
    const bytes = riff([PCM, chunk('data', [1, 0, 2, 0, 3, 0], dataSize)], formSize);
    expect(parseWav(bytes)).toMatchObject({ frames: 3, dataLength: 6, declaredDataLength: dataSize });
  });

  test('an empty file with a chunk behind its data is empty', () => {
    expect(parseWav(riff([PCM, chunk('data', []), chunk('LIST', ascii('INFO'))]))).toMatchObject({ frames: 0 });
  });

  test('a frame that is not whole is left out', () => {
    expect(parseWav(riff([PCM, chunk('data', [1, 0, 2])]))).toMatchObject({ frames: 1, dataLength: 2 });
  });

  test('RF64: sizes from ds64', () => {
    const ds64 = (dataBytes: number): number[] => chunk('ds64', [...u64(100), ...u64(dataBytes), ...u64(2), ...u32(0)]);
    const rf64 = (dataBytes: number): Uint8Array =>
      riff([ds64(dataBytes), PCM, chunk('data', [1, 0, 2, 0, 3, 0], 0xffffffff)], 0xffffffff, 'RF64');
    expect(parseWav(rf64(4))).toMatchObject({ frames: 2, declaredDataLength: 4 });
    expect(parseWav(rf64(2 ** 33))).toMatchObject({ frames: 3, declaredDataLength: 2 ** 33 });
  });

  test.each([
    [1, 8, 'pcm8'],
    [1, 16, 'pcm16'],
    [1, 24, 'pcm24'],
    [6, 8, 'alaw'],
    [7, 8, 'mulaw'],
  ])('format tag %i with %i bits, plain and extensible', (tag, bits, format) => {
    const extension = [...u16(22), ...u16(bits), ...u32(4), ...subFormat(tag)];
    for (const fields of [fmt(tag, 1, 16_000, bits), fmt(0xfffe, 1, 16_000, bits, extension)]) {
      expect(parseWav(riff([fields, chunk('data', [0, 0, 0, 0, 0, 0])]))).toMatchObject({ format });
    }
  });

  const data = chunk('data', [0, 0, 0, 0]);
  test.each<[string, AudioErrorCode, Uint8Array]>([
    ['nothing', 'not-riff', new Uint8Array(0)],
    ['text', 'not-riff', Uint8Array.from(ascii('#EXTM3U and more of it'))],
    ['a RIFF of another kind', 'not-riff', Uint8Array.from([...ascii('RIFF'), ...u32(4), ...ascii('AVI ')])],
    ['big-endian RIFX', 'not-riff', riff([PCM, data], 100, 'RIFX')],
    ['an RF64 without ds64', 'not-riff', riff([chunk('JUNK', new Array<number>(28).fill(0)), PCM, data], 100, 'RF64')],
    ['the end within the form header', 'truncated', riff([PCM, data]).slice(0, 10)],
    ['the end within fmt', 'truncated', riff([PCM, data]).slice(0, 30)],
    ['the end within ds64', 'truncated', riff([chunk('ds64', [0, 0])], 100, 'RF64')],
    ['no fmt', 'no-format', riff([data])],
    ['no data', 'no-data', riff([PCM])],
    ['a short fmt', 'invalid-format', riff([chunk('fmt ', [1, 0]), data])],
    ['a short extensible fmt', 'invalid-format', riff([fmt(0xfffe, 1, 8000, 16), data])],
    ['a wrong block size', 'invalid-format', riff([PCM.map((byte, i) => (i === 20 ? 4 : byte)), data])],
    ['float', 'unsupported-format', riff([fmt(3, 1, 8000, 32), data])],
    ['ADPCM', 'unsupported-format', riff([fmt(2, 1, 8000, 4), data])],
    ['12-bit PCM', 'unsupported-format', riff([fmt(1, 1, 8000, 12), data])],
    [
      'an extensible format of a vendor',
      'unsupported-format',
      riff([fmt(0xfffe, 1, 8000, 16, [...u16(22), ...u16(16), ...u32(4), ...new Array<number>(16).fill(1)]), data]),
    ],
    ['no channel', 'unsupported-channels', riff([fmt(1, 0, 8000, 16), data])],
    ['six channels', 'unsupported-channels', riff([fmt(1, 6, 48_000, 16), data])],
    ['6 kHz', 'unsupported-rate', riff([fmt(1, 1, 6000, 16), data])],
    ['96 kHz', 'unsupported-rate', riff([fmt(1, 1, 96_000, 16), data])],
  ])('%s is refused: %s', (_, code, bytes) => {
    expect(codeOf(bytes)).toBe(code);
  });

  test('any bytes: a description that lies within them, or an AudioError', () => {
    const valid = [
      riff([chunk('LIST', ascii('INFO')), PCM, chunk('data', [1, 0, 2, 0])]),
      riff([chunk('ds64', new Array<number>(28).fill(1)), PCM, chunk('data', [1, 0], 0xffffffff)], 9, 'RF64'),
      riff([fmt(0xfffe, 2, 48_000, 24, [...u16(22), ...u16(24), ...u32(3), ...subFormat(1)]), chunk('data', [1, 2])]),
    ];
    const mutated = fc
      .tuple(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(fc.nat(100), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.nat(100),
      )
      .map(([file, changes, length]) => {
        const bytes = file.slice();
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.slice(0, length > 80 ? bytes.length : length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        if (codeOf(bytes) !== null) return;
        const wav = parseWav(bytes);
        expect(wav.dataOffset + wav.dataLength).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('decoding', () => {
  const decode = (bytes: Uint8Array): number[] => {
    const wav = parseWav(bytes);
    const out = new Int16Array(wav.frames * wav.channels);
    decodeWavFrames(bytes, wav, 0, wav.frames, out);
    return [...out];
  };

  test('each format', () => {
    expect(decode(riff([fmt(1, 1, 8000, 8), chunk('data', [0, 128, 255])]))).toEqual([-32768, 0, 32512]);
    expect(decode(riff([PCM, chunk('data', [0xff, 0x7f, 0, 0x80])]))).toEqual([32767, -32768]);
    expect(decode(riff([fmt(1, 1, 8000, 24), chunk('data', [9, 0xff, 0x7f, 9, 0, 0x80])]))).toEqual([32767, -32768]);
    expect(decode(riff([fmt(6, 1, 8000, 8), chunk('data', [0, 0xd5])]))).toEqual([PCMA_TO_LINEAR[0], 8]);
    expect(decode(riff([fmt(7, 1, 8000, 8), chunk('data', [0, 0xff])]))).toEqual([PCMU_TO_LINEAR[0], 0]);
  });

  test.each<['pcm8' | 'pcm16' | 'pcm24' | 'alaw' | 'mulaw', number, number]>([
    ['pcm8', 1, 8],
    ['pcm16', 1, 16],
    ['pcm24', 1, 24],
    ['alaw', 6, 8],
    ['mulaw', 7, 8],
  ])('%s of two channels, block by block, gives what the whole gives', (format, tag, bits) => {
    const frames = 50;
    const body = Array.from({ length: (frames * 2 * bits) / 8 }, (_, i) => (i * 37) & 0xff);
    const bytes = riff([chunk('LIST', ascii('INFO')), fmt(tag, 2, 48_000, bits), chunk('data', body)]);
    const wav = parseWav(bytes);
    expect(wav).toMatchObject({ format, frames, channels: 2 });
    const block = new Int16Array(2 * 16);
    const pieces: number[] = [];
    for (let frame = 0; frame < frames; frame += 16) {
      const count = Math.min(16, frames - frame);
      decodeWavFrames(bytes, wav, frame, count, block);
      pieces.push(...block.subarray(0, 2 * count));
    }
    expect(pieces).toEqual(decode(bytes));
  });

  test('channels lie side by side, as in the file; what is behind the frames asked for stays', () => {
    const samples = Int16Array.of(32767, -32768, 1000, -1000, 300, 100);
    const bytes = Uint8Array.from([...wavHeader(12, 8000, 2), ...new Uint8Array(samples.buffer)]);
    const out = new Int16Array(6).fill(7);
    decodeWavFrames(bytes, parseWav(bytes), 1, 2, out);
    expect([...out]).toEqual([1000, -1000, 300, 100, 7, 7]);
  });
});
