/** Numbers behind the highest that are told apart; what lies further back is taken for a replay. */
const WINDOW = 64;
const WORD = 32;

/** Takes each number once, out of order too: the sliding window of RFC 4303, section 3.4.3, in two words of 32 bits. */
export class ReplayWindow {
  #highest = -Infinity;
  /** Bit n of the two: `highest - n` was seen; n of 0 to 31 in the near one. */
  #near = 0;
  #far = 0;

  /** Returns whether the number is new. `counter`: an integer that a double holds. */
  take(counter: number): boolean {
    const behind = this.#highest - counter;
    if (behind < 0) {
      this.#slide(-behind);
      this.#highest = counter;
      this.#near |= 1;
      return true;
    }
    if (behind >= WINDOW) return false;
    const bit = 1 << (behind % WORD);
    if (behind < WORD) {
      if ((this.#near & bit) !== 0) return false;
      this.#near |= bit;
    } else {
      if ((this.#far & bit) !== 0) return false;
      this.#far |= bit;
    }
    return true;
  }

  #slide(by: number): void {
    if (by >= WINDOW) {
      this.#far = 0;
      this.#near = 0;
    } else if (by >= WORD) {
      this.#far = this.#near << (by - WORD);
      this.#near = 0;
    } else {
      // A shift by 32 is none in this language, and `by` is 1 at least.
      this.#far = (this.#far << by) | (this.#near >>> (WORD - by));
      this.#near <<= by;
    }
  }
}
