import { AddressTable } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';

const INTERVAL_US = 1e6;
/** Of one interval: each is a question to all instances, and the rest find their way by registering again. */
const MOST_TOLD = 64;

/** Which addresses without a link are told of: each once a second at the most, and so many in a second. */
export class Strangers {
  readonly #seed: number;
  #told: AddressTable;
  #untilUs = -Infinity;

  /** @param seed any random number */
  constructor(seed: number) {
    this.#seed = seed;
    this.#told = new AddressTable(seed);
  }

  /** Whether to tell of it now. */
  isNews(from: AddressWords, nowUs: number): boolean {
    if (nowUs >= this.#untilUs) {
      this.#untilUs = nowUs + INTERVAL_US;
      if (this.#told.size > 0) this.#told = new AddressTable(this.#seed);
    }
    if (this.#told.size >= MOST_TOLD || this.#told.get(from) >= 0) return false;
    this.#told.set(from, 0);
    return true;
  }
}
