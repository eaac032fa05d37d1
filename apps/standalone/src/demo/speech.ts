import { readFile } from 'node:fs/promises';
import { checkWav, correlate, speechSamplePath } from '@mediaplane/testkit';
import type { SpeechSample } from '@mediaplane/testkit';

/** What the phones say and the prompt: 8 kHz, one channel. */
export async function readSpeech(name: SpeechSample): Promise<Int16Array> {
  return checkWav(await readFile(speechSamplePath(name))).channels[0];
}

/** How well `said` is found in `heard`, 0 to 1; 0 also where nothing was heard. */
export function likeness(said: Int16Array, heard: Int16Array): number {
  // `correlate` is content with half of the shorter one: a fragment must not pass for the whole.
  const share = Math.min(1, heard.length / said.length);
  return heard.length === 0 ? 0 : correlate(said, heard).coefficient * share;
}
