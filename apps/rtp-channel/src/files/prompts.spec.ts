import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WAV_HEADER_BYTES, wavHeader } from '@mediaplane/audio';
import { tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { ContainedFolder } from './contained-folder.ts';
import { decodePrompt } from './decode-prompt.ts';
import { Prompts } from './prompts.ts';

function wav(frames: number, rateHz = 8000, channels: 1 | 2 = 1, sample = (i: number): number => i % 1000): Uint8Array {
  const samples = Int16Array.from({ length: frames * channels }, (_, i) => sample(i));
  const bytes = new Uint8Array(WAV_HEADER_BYTES + samples.byteLength);
  bytes.set(wavHeader(samples.byteLength, rateHz, channels));
  bytes.set(new Uint8Array(samples.buffer), WAV_HEADER_BYTES);
  return bytes;
}

describe('decoding', () => {
  test('8 kHz mono passes unchanged, into shared memory', async () => {
    const { samples, sampleCount } = await decodePrompt(wav(10_000), 'x');
    expect(samples).toBeInstanceOf(SharedArrayBuffer);
    expect(sampleCount).toBe(10_000);
    expect([...new Int16Array(samples).subarray(9998)]).toEqual([998, 999]);
  });

  test('48 kHz stereo becomes 8 kHz mono: half the sum', async () => {
    const { samples, sampleCount } = await decodePrompt(
      wav(48_000, 48_000, 2, (i) => (i % 2 === 0 ? 4000 : 0)),
      'x',
    );
    expect(sampleCount).toBe(8000);
    const middle = new Int16Array(samples)[4000];
    expect(middle).toBeGreaterThan(1990);
    expect(middle).toBeLessThan(2010);
  });

  test.each([32_767, -32_768])('stereo at full scale, %i on both tracks, stays there', async (sample) => {
    const { samples } = await decodePrompt(
      wav(100, 8000, 2, () => sample),
      'x',
    );
    expect(new Set(new Int16Array(samples))).toEqual(new Set([sample]));
  });

  test('a long file gives the event loop its turns', async () => {
    let turns = 0;
    let done = false;
    const decoding = decodePrompt(wav(48_000 * 20, 48_000, 2), 'x').then(() => (done = true));
    while (!done) {
      await nextTurn();
      turns += 1;
    }
    await decoding;
    expect(turns).toBeGreaterThan(3);
  });

  test('what is not audio', async () => {
    await expect(decodePrompt(new TextEncoder().encode('not audio at all'), 'x')).rejects.toMatchObject({
      code: 'not-audio',
    });
    await expect(decodePrompt(new Uint8Array(0), 'x')).rejects.toMatchObject({ code: 'not-audio' });
  });
});

describe('prompts', () => {
  let temp: TempFolder;
  let prompts: Prompts;

  beforeEach(async () => {
    temp = await tempFolder('prompts');
    prompts = new Prompts({ folder: new ContainedFolder(temp.path), cacheBytes: 40_000, maxFileBytes: 100_000 });
  });
  afterEach(() => temp.remove());

  const put = (name: string, frames: number, value = 1) =>
    writeFile(
      join(temp.path, name),
      wav(frames, 8000, 1, () => value),
    );

  test('a file is decoded once, also for callers at the same time', async () => {
    await put('a.wav', 1000);
    const [one, two] = await Promise.all([prompts.fromFile('a.wav'), prompts.fromFile('a.wav')]);
    expect(two.samples).toBe(one.samples);
    expect((await prompts.fromFile('a.wav')).samples).toBe(one.samples);
    expect(prompts.cachedBytes).toBe(2000);
  });

  test('a file that has changed is decoded anew', async () => {
    await put('a.wav', 1000, 1);
    const before = await prompts.fromFile('a.wav');
    await put('a.wav', 1000, 2);
    await utimes(join(temp.path, 'a.wav'), new Date(0), new Date(1000));
    const after = await prompts.fromFile('a.wav');
    expect(new Int16Array(before.samples)[0]).toBe(1);
    expect(new Int16Array(after.samples)[0]).toBe(2);
  });

  test('the least recently used goes first', async () => {
    for (const name of ['a.wav', 'b.wav', 'c.wav']) await put(name, 9000);
    const a = await prompts.fromFile('a.wav');
    const b = await prompts.fromFile('b.wav');
    expect((await prompts.fromFile('a.wav')).samples).toBe(a.samples);
    await prompts.fromFile('c.wav');
    expect(prompts.cachedBytes).toBe(36_000);
    expect((await prompts.fromFile('a.wav')).samples).toBe(a.samples);
    expect((await prompts.fromFile('b.wav')).samples).not.toBe(b.samples);
  });

  test('one that fills more than the cache is played and not kept', async () => {
    await put('a.wav', 1000);
    await put('big.wav', 30_000);
    await prompts.fromFile('a.wav');
    expect((await prompts.fromFile('big.wav')).sampleCount).toBe(30_000);
    expect(prompts.cachedBytes).toBe(2000);
  });

  test('errors are told each time and leave nothing behind', async () => {
    await writeFile(join(temp.path, 'text.wav'), 'hello');
    for (let i = 0; i < 2; i++) {
      await expect(prompts.fromFile('text.wav')).rejects.toMatchObject({ code: 'not-audio' });
      await expect(prompts.fromFile('none.wav')).rejects.toMatchObject({ code: 'not-found' });
    }
    await put('huge.wav', 60_000);
    await expect(prompts.fromFile('huge.wav')).rejects.toMatchObject({ code: 'too-large' });
    expect(prompts.cachedBytes).toBe(0);
  });
});
