import type { SenderLink } from '../link.ts';
import { WINDOW_UNIT } from '../window.ts';

// irlserver's srtla_send, connection/congestion (reference 2.2).
const FAST_FROM = 2 * WINDOW_UNIT;
const FAST_UNTIL = 12 * WINDOW_UNIT;
const QUIET_US = 2e6;
const FAST_QUIET_US = 0.5e6;
const STEP_US = 1e6;
const FAST_STEP_US = 0.3e6;
/** By how long nothing was lost. */
const LONG_QUIET_US = 10e6;
const LONG_STEP = 60;
const QUIETER_US = 7e6;
const QUIETER_STEP = 30;
const QUIET_ENOUGH_US = 5e6;
const QUIET_ENOUGH_STEP = 15;
const LEAST_STEP = 7;
const FAST_FACTOR = 2;
const SLOWING_FACTOR = 0.5;
/** A round trip that grows by more than so many ms a sample. */
const GROWING_RTT_MS = 2;

/** Gives a link that has lost back its window by and by, though nothing is acknowledged on it for it gets nothing. */
export class WindowRecovery {
  #fast = false;
  #stepUs = -Infinity;

  /** Returns thousandths of a packet to be added to the window now. Call it often. */
  step({ window, losses, rtt }: SenderLink, nowUs: number): number {
    if (window <= FAST_FROM) this.#fast = true;
    else if (window >= FAST_UNTIL) this.#fast = false;
    const quietUs = nowUs - losses.lastUs;
    if (quietUs < (this.#fast ? FAST_QUIET_US : QUIET_US)) return 0;
    if (nowUs - this.#stepUs < (this.#fast ? FAST_STEP_US : STEP_US)) return 0;
    this.#stepUs = nowUs;
    const growing = rtt.velocityMs > GROWING_RTT_MS ? SLOWING_FACTOR : 1;
    return Math.round(stepAfter(quietUs) * (this.#fast ? FAST_FACTOR : 1) * growing);
  }
}

function stepAfter(quietUs: number): number {
  if (quietUs > LONG_QUIET_US) return LONG_STEP;
  if (quietUs > QUIETER_US) return QUIETER_STEP;
  return quietUs > QUIET_ENOUGH_US ? QUIET_ENOUGH_STEP : LEAST_STEP;
}
