import type { Clip, PlaybackPosition } from './contract.ts';
import { SAMPLE_RATE_HZ } from './contract.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** What a player is made of, and what it is when it moves to another thread. */
export interface PlayerState {
  readonly playbackId: string;
  readonly clips: readonly Clip[];
  /** Times the whole list is played; Infinity: endlessly. */
  readonly plays: number;
  readonly interruptOnDtmf: boolean;
  paused: boolean;
  /** Samples read so far, over all clips and rounds. */
  played: number;
  /** Where the next sample is. */
  round: number;
  clip: number;
  clipPlay: number;
  sample: number;
}

/** Reads a list of clips as one gapless stream of samples. */
export class Player {
  readonly state: PlayerState;
  #samples: Int16Array;

  /** @param state from `start`, or a snapshot of another player. */
  constructor(state: PlayerState) {
    this.state = state;
    this.#samples = this.#clipSamples();
  }

  /** @throws RangeError for a clip without a sample: looped, it would hold its thread for ever. */
  static start(playbackId: string, clips: readonly Clip[], plays: number, interruptOnDtmf: boolean): Player {
    if (clips.length === 0 || clips.some(({ startSample, stopSample }) => stopSample <= startSample)) {
      throw new RangeError('every clip of a playback must have a sample');
    }
    const sample = clips[0].startSample;
    return new Player({
      playbackId,
      clips,
      plays,
      interruptOnDtmf,
      paused: false,
      played: 0,
      round: 0,
      clip: 0,
      clipPlay: 0,
      sample,
    });
  }

  get ended(): boolean {
    return this.state.round >= this.state.plays;
  }

  position(): PlaybackPosition {
    const { playbackId, paused, played } = this.state;
    return { playbackId, paused, positionMs: Math.floor(played / SAMPLES_PER_MS) };
  }

  /** Copies the next `count` samples to `out` from 0. Returns how many there were: fewer only at the very end. */
  read(out: Int16Array, count: number): number {
    const { state } = this;
    let written = 0;
    while (written < count && !this.ended) {
      const stop = state.clips[state.clip].stopSample;
      while (written < count && state.sample < stop) out[written++] = this.#samples[state.sample++];
      if (state.sample >= stop) this.#nextClip();
    }
    state.played += written;
    return written;
  }

  #nextClip(): void {
    const { state } = this;
    state.clipPlay += 1;
    if (state.clipPlay >= state.clips[state.clip].plays) {
      state.clipPlay = 0;
      state.clip += 1;
      if (state.clip === state.clips.length) {
        state.clip = 0;
        state.round += 1;
      }
      this.#samples = this.#clipSamples();
    }
    state.sample = state.clips[state.clip].startSample;
  }

  #clipSamples(): Int16Array {
    return new Int16Array(this.state.clips[this.state.clip].samples);
  }
}
