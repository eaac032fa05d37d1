/** Losses closer than this are one burst; reference 2.2. */
const BURST_GAP_US = 1e6;
/** Weight that a second has in the loss ratio: 1 - e^(-1/2), for a time constant of 2 s; reference 2.4. */
const RATIO_WEIGHT = 1 - Math.exp(-1 / 2);
/** Degraded is a link that loses more than this for so many seconds, until it loses less than that. */
const DEGRADED_RATIO = 0.55;
const DEGRADED_SECONDS = 4;
const SOUND_RATIO = 0.25;
/** Fewer packets in a second say nothing. */
const TELLING_PACKETS = 10;

/** When and how much a link has lost of late. */
export class LossHistory {
  lastUs = -Infinity;
  /** Losses in a row, none of them long after the one before. */
  burst = 0;
  /** Share of its packets that were lost, smoothed. */
  ratio = 0;
  isDegraded = false;
  #badSeconds = 0;

  onLoss(nowUs: number): void {
    this.burst = nowUs - this.lastUs < BURST_GAP_US ? this.burst + 1 : 1;
    this.lastUs = nowUs;
  }

  /** Once a second, with what went out in it and what was reported lost. */
  tick(sentPackets: number, lostPackets: number): void {
    if (sentPackets < TELLING_PACKETS) return;
    this.ratio += (Math.min(lostPackets / sentPackets, 1) - this.ratio) * RATIO_WEIGHT;
    this.#badSeconds = this.ratio > DEGRADED_RATIO ? this.#badSeconds + 1 : 0;
    if (this.#badSeconds >= DEGRADED_SECONDS) this.isDegraded = true;
    else if (this.ratio < SOUND_RATIO) this.isDegraded = false;
  }

  reset(): void {
    this.lastUs = -Infinity;
    this.burst = 0;
    this.ratio = 0;
    this.isDegraded = false;
    this.#badSeconds = 0;
  }
}
