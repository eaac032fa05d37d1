import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { decodeG711, encodeG711, peakDbfs, wavHeader } from '@mediaplane/audio';
import type { SpeechSample } from './speech-samples.ts';
import { speechSamplePath } from './speech-samples.ts';
import { checkWav, correlate, silenceGaps } from './wav-checks.ts';

const asset = (name: SpeechSample): Uint8Array => readFileSync(speechSamplePath(name));
const speech = (name: SpeechSample): Int16Array => checkWav(asset(name)).channels[0];

function file(samples: Int16Array, channels: 1 | 2, claimedBytes = samples.byteLength): Uint8Array {
  return Uint8Array.from([...wavHeader(claimedBytes, 8000, channels), ...new Uint8Array(samples.buffer)]);
}

describe('checkWav', () => {
  test('gives each channel', () => {
    const checked = checkWav(file(Int16Array.of(1, -1, 2, -2, 3, -3), 2));
    expect(checked.channels).toEqual([Int16Array.of(1, 2, 3), Int16Array.of(-1, -2, -3)]);
    expect(checked).toMatchObject({ durationMs: 3 / 8, unclaimedBytes: 0 });
  });

  test('a header may lag behind, never run ahead', () => {
    const samples = new Int16Array(800);
    expect(checkWav(file(samples, 1, 1280))).toMatchObject({ durationMs: 80, unclaimedBytes: 320 });
    expect(() => checkWav(file(samples, 1, 1602))).toThrow('claims 1646 bytes, the file has 1644');
  });

  test.each<[SpeechSample, number, number]>([
    ['speech-a', 4000, 6000],
    ['speech-b', 4000, 6000],
    ['prompt', 2000, 4000],
  ])('%s: 8 kHz mono at -6 dBFS, speaking from the start', (name, minMs, maxMs) => {
    const { wav, channels, durationMs, unclaimedBytes } = checkWav(asset(name));
    expect(wav).toMatchObject({ format: 'pcm16', sampleRateHz: 8000, channels: 1 });
    expect(unclaimedBytes).toBe(0);
    expect(durationMs).toBeGreaterThan(minMs);
    expect(durationMs).toBeLessThan(maxMs);
    expect(peakDbfs(channels[0])).toBeCloseTo(-6, 1);
    expect(silenceGaps(channels[0], 8000, 50).every((gap) => gap.startMs > 200)).toBe(true);
  });
});

describe('silenceGaps', () => {
  test('finds runs of the length asked for, also at the ends', () => {
    const samples = new Int16Array(8000).fill(5000);
    samples.fill(0, 0, 160);
    samples.fill(50, 4000, 4320);
    samples.fill(0, 5000, 5100);
    samples.fill(0, 7840, 8000);
    expect(silenceGaps(samples, 8000, 20)).toEqual([
      { startMs: 0, durationMs: 20 },
      { startMs: 500, durationMs: 40 },
      { startMs: 980, durationMs: 20 },
    ]);
    expect(silenceGaps(samples, 8000, 20, -70)).toHaveLength(2);
    expect(silenceGaps(new Int16Array(0), 8000, 0)).toEqual([]);
  });
});

describe('correlate', () => {
  const said = speech('speech-a');

  test('finds speech that came late, quieter and through G.711', () => {
    const bytes = new Uint8Array(said.length);
    encodeG711(
      'PCMA',
      said.map((sample) => sample / 4),
      0,
      said.length,
      bytes,
      0,
    );
    const heard = new Int16Array(said.length + 4000);
    decodeG711('PCMA', bytes, 0, said.length, heard, 1234);
    const { offset, coefficient } = correlate(said, heard);
    expect(offset).toBe(1234);
    expect(coefficient).toBeGreaterThan(0.99);
  });

  test('finds speech whose start or end was cut off', () => {
    expect(correlate(said, said.slice(5000))).toMatchObject({ offset: -5000 });
    expect(correlate(said.slice(5000), said).offset).toBe(5000);
    expect(correlate(said, said.slice(0, 20_000)).coefficient).toBeCloseTo(1, 6);
  });

  test('tells another voice, and silence, from it', () => {
    expect(correlate(said, speech('speech-b')).coefficient).toBeLessThan(0.3);
    expect(correlate(said, new Int16Array(20_000))).toEqual({ offset: 0, coefficient: 0 });
    expect(correlate(said, new Int16Array(0))).toEqual({ offset: 0, coefficient: 0 });
  });

  test('a hole shows in part, a shift in the middle in full', () => {
    const hole = said.slice();
    hole.fill(0, 16_000, 20_000);
    const shifted = said.slice();
    shifted.copyWithin(20_160, 20_000);
    expect(correlate(said, hole)).toMatchObject({ offset: 0 });
    expect(correlate(said, hole).coefficient).toBeLessThan(0.98);
    expect(correlate(said, shifted).coefficient).toBeLessThan(0.9);
  });
});
