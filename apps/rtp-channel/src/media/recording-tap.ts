import { SAMPLE_RATE_HZ, type RecordingEnd } from './contract.ts';

const SAMPLES_PER_US = SAMPLE_RATE_HZ / 1e6;
/** How long a sample may be on its way before it is written: reordered and late packets still find their place. */
const DELAY_SAMPLES = 0.2 * SAMPLE_RATE_HZ;
/** A stream whose timestamps are this far from the clock is placed anew: its sender paused, drifted or restarted. */
const MAX_SKEW_SAMPLES = 0.15 * SAMPLE_RATE_HZ;
/** So many packets in a row that are that far behind are no stragglers but a stream that has moved. */
const MOVED_PACKETS = 3;
/** Holds the delay, the skew and the longest packet; a power of two. */
const RING_SAMPLES = 8192;
/** Audio that leaves the thread at once: a quarter of a second. */
const CHUNK_SAMPLES = 0.25 * SAMPLE_RATE_HZ;

/** One direction of a recording: a ring of samples indexed by recording time, silence where nothing arrived. */
interface Track {
  readonly ring: Int16Array;
  /** Recording time less RTP timestamp, both in samples; meaningless until `anchored`. */
  offset: number;
  anchored: boolean;
  /** Packets in a row that came too far behind the clock. */
  stragglers: number;
}

export interface RecordingTapState {
  readonly recordingId: string;
  readonly stereo: boolean;
  /** Most samples per audio channel; Infinity: no limit. */
  readonly maxSamples: number;
  readonly received: Track | null;
  readonly sent: Track | null;
  /** Monotonic time of recording time 0, moved by every pause. */
  originUs: number;
  /** When it was paused; -1 while it records. */
  pausedAtUs: number;
  /** Recording time up to which audio has been handed out. */
  flushed: number;
  /** Packets that came too late to find their place. */
  late: number;
}

/**
 * Puts the packets of both directions on one wall-clock timeline and hands the audio out in chunks, 200 ms behind the clock:
 * at most half a second of audio is on this thread at any time. A pause leaves no gap in the file.
 */
export class RecordingTap {
  readonly state: RecordingTapState;
  readonly #emit: (audio: ArrayBuffer) => void;
  #chunk: Int16Array<ArrayBuffer>;
  #chunkFrames = 0;

  constructor(state: RecordingTapState, emit: (audio: ArrayBuffer) => void) {
    this.state = state;
    this.#emit = emit;
    this.#chunk = this.#newChunk();
  }

  static start(
    settings: {
      recordingId: string;
      stereo: boolean;
      takesReceived: boolean;
      takesSent: boolean;
      maxDurationMs: number;
      paused: boolean;
    },
    nowUs: number,
    emit: (audio: ArrayBuffer) => void,
  ): RecordingTap {
    const track = (): Track => ({ ring: new Int16Array(RING_SAMPLES), offset: 0, anchored: false, stragglers: 0 });
    const { recordingId, stereo, maxDurationMs } = settings;
    return new RecordingTap(
      {
        recordingId,
        stereo,
        maxSamples: maxDurationMs === 0 ? Infinity : Math.floor((maxDurationMs * SAMPLE_RATE_HZ) / 1000),
        received: settings.takesReceived ? track() : null,
        sent: settings.takesSent ? track() : null,
        originUs: nowUs,
        pausedAtUs: settings.paused ? nowUs : -1,
        flushed: 0,
        late: 0,
      },
      emit,
    );
  }

  get paused(): boolean {
    return this.state.pausedAtUs >= 0;
  }

  /** Takes `count` samples (up to 2000) of a packet that the channel received. `timestamp`: of the packet, in samples. */
  received(samples: Int16Array, count: number, timestamp: number, nowUs: number): void {
    if (this.state.received) this.#place(this.state.received, samples, count, timestamp, nowUs);
  }

  /** The same for a packet that the channel sent. */
  sent(samples: Int16Array, count: number, timestamp: number, nowUs: number): void {
    if (this.state.sent) this.#place(this.state.sent, samples, count, timestamp, nowUs);
  }

  /** Once every 20 ms: hands out what is old enough. Returns why the recording is over, or null. */
  onFrame(nowUs: number): RecordingEnd | null {
    if (!this.paused) this.#flushTo(this.#clock(nowUs) - DELAY_SAMPLES);
    return this.state.flushed >= this.state.maxSamples ? 'max-duration' : null;
  }

  pause(nowUs: number): void {
    if (this.paused) return;
    this.#flushTo(this.#clock(nowUs));
    this.state.pausedAtUs = nowUs;
  }

  resume(nowUs: number): void {
    const { state } = this;
    if (!this.paused) return;
    state.originUs += nowUs - state.pausedAtUs;
    state.pausedAtUs = -1;
    if (state.received) state.received.anchored = false;
    if (state.sent) state.sent.anchored = false;
  }

  /** Hands out everything up to now. */
  finish(nowUs: number): void {
    if (!this.paused) this.#flushTo(this.#clock(nowUs));
    this.#handOut();
  }

  /** Hands out what has been flushed, so that the state alone is the whole recording. */
  snapshot(): RecordingTapState {
    this.#handOut();
    return this.state;
  }

  #clock(nowUs: number): number {
    return Math.floor((nowUs - this.state.originUs) * SAMPLES_PER_US);
  }

  #place(track: Track, samples: Int16Array, count: number, timestamp: number, nowUs: number): void {
    if (this.paused) return;
    const clock = this.#clock(nowUs);
    // Timestamps wrap at 32 bits: the difference to the expected one is what counts.
    let at = clock + ((timestamp - (clock - track.offset)) | 0);
    const behind = track.anchored && at < clock - MAX_SKEW_SAMPLES;
    track.stragglers = behind ? track.stragglers + 1 : 0;
    if (behind && track.stragglers < MOVED_PACKETS) {
      this.state.late += 1;
      return;
    }
    if (!track.anchored || behind || at > clock + MAX_SKEW_SAMPLES) {
      at = clock;
      track.offset = (clock - timestamp) | 0;
      track.anchored = true;
    }
    const { flushed } = this.state;
    const first = Math.max(flushed - at, 0);
    const end = Math.min(count, flushed + RING_SAMPLES - at);
    for (let i = first; i < end; i += 1) track.ring[(at + i) & (RING_SAMPLES - 1)] = samples[i];
  }

  #flushTo(clock: number): void {
    const { state } = this;
    const end = Math.min(clock, state.maxSamples);
    const { received, sent, stereo } = state;
    for (; state.flushed < end; state.flushed += 1) {
      const at = state.flushed & (RING_SAMPLES - 1);
      const left = received ? received.ring[at] : 0;
      const right = sent ? sent.ring[at] : 0;
      if (received) received.ring[at] = 0;
      if (sent) sent.ring[at] = 0;
      if (stereo) {
        this.#chunk[2 * this.#chunkFrames] = left;
        this.#chunk[2 * this.#chunkFrames + 1] = right;
      } else {
        this.#chunk[this.#chunkFrames] = Math.max(-32768, Math.min(32767, left + right));
      }
      this.#chunkFrames += 1;
      if (this.#chunkFrames === CHUNK_SAMPLES) this.#handOut();
    }
  }

  #handOut(): void {
    if (this.#chunkFrames === 0) return;
    const values = this.#chunkFrames * (this.state.stereo ? 2 : 1);
    this.#emit(values === this.#chunk.length ? this.#chunk.buffer : this.#chunk.slice(0, values).buffer);
    this.#chunk = this.#newChunk();
    this.#chunkFrames = 0;
  }

  #newChunk(): Int16Array<ArrayBuffer> {
    return new Int16Array(CHUNK_SAMPLES * (this.state.stereo ? 2 : 1));
  }
}
