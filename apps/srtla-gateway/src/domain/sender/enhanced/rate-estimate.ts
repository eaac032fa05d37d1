import type { LinkMeter } from '../link-meter.ts';
import type { RttFilter } from '../rtt-filter.ts';

// All of irlserver's srtla_send, link_cc.rs (reference 2.4), but where it says otherwise.
const START_BPS = 1e6;
const LEAST_BPS = 0.1e6;
const MOST_BPS = 200e6;
const CLIMB = 0.02;
/** With a round trip that varies by no more than 10 %. */
const CALM_CLIMB = 0.06;
const CALM_DEVIATION = 0.1;
/** For five seconds after a cut. */
const REGAIN_CLIMB = 0.04;
const REGAIN_SECONDS = 5;
/** It never climbs above so much of what the link is given: more is not known to be there. */
const MOST_OF_LOAD = 2;
const HOLD_RTT = 1.5;
const CUT_RTT = 2;
/** Ours: on the shortest of round trips the grain of the clock alone is half of one. */
const RTT_GRAIN_MS = 10;
const RTT_CUT = 0.75;
const LOSS_CUT = 0.85;
const CUT_LOSS = 0.005;
const CUT_LOAD = 0.3;
/** Cuts that do not bring the loss below this share of what it was, for three seconds, were not to blame: none for the next thirty. */
const HELPED = 0.8;
const DOUBT_SECONDS = 3;
const TRUST_SECONDS = 30;

/**
 * What a link is thought to carry, from what it does carry: it climbs while nothing is wrong, and is cut when the round trip doubles
 * or packets are lost under load. It steers the choice of links and says what is spare; nothing is held back because of it.
 */
export class RateEstimate {
  /** 0 before the link has carried anything. */
  bps = 0;
  #rttCut = false;
  #regainSeconds = 0;
  #cutSeconds = 0;
  #lossBefore = 0;
  #trustSeconds = 0;

  /** Once a second. */
  tick(meter: LinkMeter, rtt: RttFilter): void {
    const { bitrateBps, deliveredBps, sentPackets, lostPackets } = meter;
    if (sentPackets === 0) return;
    if (this.bps === 0) this.bps = START_BPS;
    const loss = lostPackets / sentPackets;
    const leastMs = Math.max(rtt.minMs, RTT_GRAIN_MS);
    if (this.#trustSeconds > 0) this.#trustSeconds -= 1;
    if (loss > CUT_LOSS && bitrateBps / this.bps >= CUT_LOAD && this.#trustSeconds === 0) {
      this.#cutForLoss(loss, deliveredBps);
    } else if (rtt.valueMs >= CUT_RTT * leastMs) {
      if (!this.#rttCut) this.bps *= RTT_CUT;
      this.#rttCut = true;
      this.#regainSeconds = REGAIN_SECONDS;
    } else if (rtt.valueMs <= HOLD_RTT * leastMs) {
      this.#climb(bitrateBps, deliveredBps, rtt);
    }
    this.bps = Math.min(Math.max(this.bps, LEAST_BPS), MOST_BPS);
  }

  reset(): void {
    this.bps = 0;
    this.#rttCut = false;
    this.#regainSeconds = 0;
    this.#cutSeconds = 0;
    this.#trustSeconds = 0;
  }

  #cutForLoss(loss: number, deliveredBps: number): void {
    if (this.#cutSeconds === 0) this.#lossBefore = loss;
    this.#cutSeconds += 1;
    this.bps = Math.max(this.bps * LOSS_CUT, deliveredBps);
    this.#regainSeconds = REGAIN_SECONDS;
    if (this.#cutSeconds < DOUBT_SECONDS) return;
    if (loss > HELPED * this.#lossBefore) this.#trustSeconds = TRUST_SECONDS;
    this.#cutSeconds = 0;
  }

  #climb(bitrateBps: number, deliveredBps: number, rtt: RttFilter): void {
    this.#rttCut = false;
    this.#cutSeconds = 0;
    const calm = rtt.deviationMs <= CALM_DEVIATION * Math.max(rtt.valueMs, RTT_GRAIN_MS);
    let climb = calm ? CALM_CLIMB : CLIMB;
    if (this.#regainSeconds > 0) climb = Math.max(climb, REGAIN_CLIMB);
    this.#regainSeconds = Math.max(this.#regainSeconds - 1, 0);
    const higher = Math.min(this.bps * (1 + climb), MOST_OF_LOAD * bitrateBps);
    // What has arrived without harm is there: ours, for a stream of 20 Mbit/s is not to wait for a minute's climb.
    this.bps = Math.max(this.bps, higher, deliveredBps);
  }
}
