/** Second copies, as a share of the packets ... */
const SHARE = 0.05;
/** ... of which so many may come at once: a key frame of a stream of 5 Mbit/s. */
const MOST = 64;

/** How many packets may go out twice. */
export class DuplicateBudget {
  #credit = 0;

  /** A packet has come. */
  onPacket(): void {
    if (this.#credit < MOST) this.#credit += SHARE;
  }

  /** Whether one more may. */
  take(): boolean {
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }
}
