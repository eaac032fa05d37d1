import { readFile } from 'node:fs/promises';
import { peakDbfs, plotWaveform, rmsDbfs } from '@mediaplane/audio';
import { checkWav } from '@mediaplane/testkit';
import type { RecordingFacts } from '../report/facts.ts';
import { likeness } from './speech.ts';

const PLOT_COLUMNS = 48;

export interface ExpectedTrack {
  readonly label: string;
  readonly said: Int16Array;
}

/** Looks at a stereo recording on the disk: left and right are expected to hold `expected`. Never rejects. */
export async function examineRecording(
  phone: 'A' | 'B',
  path: string,
  expected: readonly ExpectedTrack[],
): Promise<RecordingFacts> {
  const empty = { phone, path, bytes: 0, durationMs: 0, sampleRateHz: 0, tracks: [] };
  try {
    const bytes = await readFile(path);
    const { wav, durationMs, channels, unclaimedBytes } = checkWav(bytes);
    if (channels.length !== expected.length) {
      return { ...empty, problem: `${path} has ${channels.length} channels instead of ${expected.length}` };
    }
    if (unclaimedBytes !== 0) {
      return { ...empty, problem: `${path} ends with ${unclaimedBytes} bytes that its header does not count` };
    }
    const tracks = channels.map((samples, i) => ({
      label: expected[i].label,
      rmsDbfs: rmsDbfs(samples),
      peakDbfs: peakDbfs(samples),
      plot: plotWaveform(samples, PLOT_COLUMNS),
      speech: likeness(expected[i].said, samples),
    }));
    return { phone, path, bytes: bytes.length, durationMs, sampleRateHz: wav.sampleRateHz, tracks, problem: undefined };
  } catch (error) {
    return {
      ...empty,
      problem: `${path} is not a sound WAV: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** For a recording that could not even be started. */
export function failedRecording(phone: 'A' | 'B', problem: string): RecordingFacts {
  return { phone, path: '', bytes: 0, durationMs: 0, sampleRateHz: 0, tracks: [], problem };
}
