import { describe, expect, test } from '@jest/globals';
import { parseWav } from '@mediaplane/audio';
import type { RecordingFault, RecordingSink } from './recording-file.ts';
import { RecordingFile } from './recording-file.ts';

/** A disk of `capacity` bytes that can be made to wait. */
class Disk implements RecordingSink {
  bytes = new Uint8Array(0);
  closed = false;
  writes = 0;
  capacity = Infinity;
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** A write takes no more than this at a time. */
  atMost = Infinity;

  async write(data: Uint8Array, offset: number, length: number, position: number) {
    await this.gate;
    this.writes += 1;
    const room = this.capacity - position;
    if (room <= 0) throw new Error('ENOSPC: no space left on device, write');
    const bytesWritten = Math.min(length, this.atMost, room);
    const end = position + bytesWritten;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(end);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(data.subarray(offset, offset + bytesWritten), position);
    return { bytesWritten };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function audio(samples: number, value: number): ArrayBuffer {
  return new Int16Array(samples).fill(value).buffer;
}

async function start(disk: Disk, { stereo = false, maxWaitingBytes = 100_000, finishWithinMs = 60_000 } = {}) {
  const faults: RecordingFault[] = [];
  const file = await RecordingFile.start(disk, {
    stereo,
    maxWaitingBytes,
    finishWithinMs,
    onFault: (fault) => faults.push(fault),
  });
  return { file, faults };
}

/** What a reader finds now: never more declared than there is. */
function declared(disk: Disk): number {
  const wav = parseWav(disk.bytes);
  expect(wav.declaredDataLength).toBeLessThanOrEqual(disk.bytes.length - wav.dataOffset);
  return wav.declaredDataLength;
}

describe('a recording on disk', () => {
  test('is a whole WAV from the first write to the last', async () => {
    const disk = new Disk();
    const { file, faults } = await start(disk, { stereo: true });
    expect(declared(disk)).toBe(0);
    for (let i = 1; i <= 5; i++) file.append(audio(1000, i));
    await file.finish();
    expect(disk.closed).toBe(true);
    expect(declared(disk)).toBe(10_000);
    expect(file.sizeBytes).toBe(disk.bytes.length);
    expect(file.durationMs).toBe(312);
    expect(parseWav(disk.bytes)).toMatchObject({ channels: 2, sampleRateHz: 8000, format: 'pcm16', frames: 2500 });
    const samples = new Int16Array(disk.bytes.slice(44).buffer);
    expect([samples[0], samples[999], samples[1000], samples[4999]]).toEqual([1, 1, 2, 5]);
    expect(faults).toEqual([]);
  });

  test('at every single write, the header claims no more than is there', async () => {
    const disk = new Disk();
    disk.atMost = 100;
    const { file } = await start(disk);
    const write = disk.write.bind(disk);
    const seen: number[] = [];
    disk.write = async (data, offset, length, position) => {
      const result = await write(data, offset, length, position);
      seen.push(declared(disk));
      return result;
    };
    file.append(audio(500, 1));
    file.append(audio(500, 2));
    await file.finish();
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.at(-1)).toBe(2000);
  });

  test('a disk that is full ends it; what was written stays readable', async () => {
    const disk = new Disk();
    disk.capacity = 44 + 2500;
    const { file, faults } = await start(disk);
    file.append(audio(1000, 7));
    file.append(audio(1000, 8));
    await file.finish();
    expect(faults).toEqual([{ kind: 'write-failed', error: expect.stringContaining('ENOSPC') }]);
    expect(declared(disk)).toBe(2000);
    expect(file.sizeBytes).toBe(2044);
    expect(disk.closed).toBe(true);
    file.append(audio(1000, 9));
    expect(faults).toHaveLength(1);
  });

  test('a disk that is full from the start is told at the start', async () => {
    const disk = new Disk();
    disk.capacity = 0;
    await expect(start(disk)).rejects.toThrow('ENOSPC');
    expect(disk.closed).toBe(true);
  });

  test('a slow disk loses nothing up to the bound, then ends it', async () => {
    const disk = new Disk();
    const { file, faults } = await start(disk, { maxWaitingBytes: 6000 });
    let open = (): void => undefined;
    disk.gate = new Promise((resolve) => (open = resolve));
    for (let i = 0; i < 3; i++) file.append(audio(1000, i));
    expect(faults).toEqual([]);
    file.append(audio(1, 9));
    expect(faults).toEqual([{ kind: 'overrun' }]);
    open();
    await file.finish();
    expect(declared(disk)).toBe(6000);
  });

  test('the bound is of what waits, not of what was written', async () => {
    const disk = new Disk();
    const { file, faults } = await start(disk, { maxWaitingBytes: 2000 });
    for (let i = 0; i < 20; i++) {
      file.append(audio(1000, i));
      const { writes } = disk;
      while (disk.writes < writes + 2) await Promise.resolve();
    }
    await file.finish();
    expect(faults).toEqual([]);
    expect(declared(disk)).toBe(40_000);
  });

  test('a disk that hangs is not waited for, and may go on when it wakes', async () => {
    const disk = new Disk();
    const { file, faults } = await start(disk, { finishWithinMs: 10 });
    let wake = (): void => undefined;
    disk.gate = new Promise((resolve) => (wake = resolve));
    const closed = new Promise<void>((resolve) => {
      disk.close = async () => resolve();
    });
    file.append(audio(1000, 1));
    await file.finish();
    expect(faults).toEqual([{ kind: 'write-failed', error: expect.stringContaining('within 10 ms') }]);
    wake();
    await closed;
    expect(declared(disk)).toBe(2000);
  });

  test('a file system that fails at close', async () => {
    const disk = new Disk();
    disk.close = () => Promise.reject(new Error('EIO'));
    const { file, faults } = await start(disk);
    await file.finish();
    expect(faults).toEqual([{ kind: 'write-failed', error: expect.stringContaining('EIO') }]);
  });
});
