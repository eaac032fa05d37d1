/** Noise of the state and of a sample, in ms²: irlserver's srtla_send, kalman.rs (reference 2.4). */
const VALUE_NOISE = 0.5;
const VELOCITY_NOISE = 0.1;
const SAMPLE_NOISE = 2;
/** Weight of the newest in the mean absolute difference of successive samples (rtt.rs). */
const DEVIATION_WEIGHT = 0.1;
/** Samples that are looked back on; rtt.rs takes minima over 10 and 100 of a minimum over 15, which is over 24 and 114. */
const FAST_SAMPLES = 24;
const SLOW_SAMPLES = 114;
const HISTORY = 128;
/** A queue builds when the fast minimum is above the slow one by 3 deviations or 5 %, whichever is more ... */
const QUEUE_DEVIATIONS = 3;
const QUEUE_SHARE = 0.05;
/** ... and by more than the grain of the samples. */
const QUEUE_GRAIN_MS = 2;
/** The least round trip is that of so many seconds (link_cc.rs). */
const MIN_SECONDS = 30;

/** A link's round trip: value and trend by a Kalman filter, spread, least, and whether a queue grows on the way. */
export class RttFilter {
  samples = 0;
  /** Smoothed; -1 before the first sample. */
  valueMs = -1;
  /** By which the value changes from sample to sample. */
  velocityMs = 0;
  deviationMs = 0;
  #valueVariance = SAMPLE_NOISE;
  #covariance = 0;
  #velocityVariance = 1;
  readonly #history = new Float64Array(HISTORY);
  readonly #secondMinima = new Float64Array(MIN_SECONDS).fill(Infinity);
  #second = 0;

  /** Of something that went out by the link once, and whose echo came back by it. */
  add(sampleMs: number): void {
    const last = this.#history[(this.samples - 1) & (HISTORY - 1)];
    this.#history[this.samples & (HISTORY - 1)] = sampleMs;
    this.#secondMinima[this.#second] = Math.min(this.#secondMinima[this.#second], sampleMs);
    this.samples += 1;
    if (this.samples === 1) {
      this.valueMs = sampleMs;
      return;
    }
    this.deviationMs += (Math.abs(sampleMs - last) - this.deviationMs) * DEVIATION_WEIGHT;
    this.#update(sampleMs);
  }

  /** Once a second: the oldest of the minima is forgotten. */
  tick(): void {
    this.#second = (this.#second + 1) % MIN_SECONDS;
    this.#secondMinima[this.#second] = Infinity;
  }

  /** Of the last half minute; the smoothed value where that has no sample, -1 before the first. */
  get minMs(): number {
    let least = Infinity;
    for (let i = 0; i < MIN_SECONDS; i += 1) least = Math.min(least, this.#secondMinima[i]);
    return least === Infinity ? this.valueMs : least;
  }

  /** Round trips of late are longer than they could be. */
  get isQueueBuilding(): boolean {
    if (this.samples < FAST_SAMPLES) return false;
    const slow = this.#leastOfLast(SLOW_SAMPLES);
    const margin = Math.max(QUEUE_DEVIATIONS * this.deviationMs, QUEUE_SHARE * slow, QUEUE_GRAIN_MS);
    return this.#leastOfLast(FAST_SAMPLES) - slow > margin;
  }

  reset(): void {
    this.samples = 0;
    this.valueMs = -1;
    this.velocityMs = 0;
    this.deviationMs = 0;
    this.#valueVariance = SAMPLE_NOISE;
    this.#covariance = 0;
    this.#velocityVariance = 1;
    this.#secondMinima.fill(Infinity);
  }

  /** One step of a filter whose state is value and velocity, a sample being the unit of time. */
  #update(sampleMs: number): void {
    const predicted = this.valueMs + this.velocityMs;
    const p00 = this.#valueVariance + 2 * this.#covariance + this.#velocityVariance + VALUE_NOISE;
    const p01 = this.#covariance + this.#velocityVariance;
    const p11 = this.#velocityVariance + VELOCITY_NOISE;
    const valueGain = p00 / (p00 + SAMPLE_NOISE);
    const velocityGain = p01 / (p00 + SAMPLE_NOISE);
    const surprise = sampleMs - predicted;
    this.valueMs = Math.max(predicted + valueGain * surprise, 0);
    this.velocityMs += velocityGain * surprise;
    this.#valueVariance = (1 - valueGain) * p00;
    this.#covariance = (1 - valueGain) * p01;
    this.#velocityVariance = p11 - velocityGain * p01;
  }

  #leastOfLast(count: number): number {
    let least = Infinity;
    for (let back = Math.min(count, this.samples); back > 0; back -= 1) {
      least = Math.min(least, this.#history[(this.samples - back) & (HISTORY - 1)]);
    }
    return least;
  }
}
