/** Smoothing of RFC 3550 6.4.1: the estimate moves by a sixteenth of what is new. */
const GAIN = 1 / 16;

/** How unevenly packets come, as RTP measures it (RFC 3550 A.8), by the timestamps of SRT: microseconds, 32 bits, both wrap. */
export class InterarrivalJitter {
  us = 0;
  #transitUs = 0;
  #hasTransit = false;

  add(timestampUs: number, nowUs: number): void {
    const transitUs = (nowUs - timestampUs) | 0;
    if (this.#hasTransit) this.us += (Math.abs((transitUs - this.#transitUs) | 0) - this.us) * GAIN;
    this.#transitUs = transitUs;
    this.#hasTransit = true;
  }

  /** Another session begins, whose clock is another. */
  restart(): void {
    this.us = 0;
    this.#hasTransit = false;
  }
}
