import { fileURLToPath } from 'node:url';

export type SpeechSample = 'speech-a' | 'speech-b' | 'prompt';

/** Path of a committed WAV, 8 kHz mono PCM16: what phone A says (5.3 s), what phone B says (5.3 s), a prompt (3.2 s). */
export function speechSamplePath(name: SpeechSample): string {
  return fileURLToPath(new URL(`../assets/${name}.wav`, import.meta.url));
}
