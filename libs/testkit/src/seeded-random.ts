/** Random numbers that are the same for the same seed, on every machine: mulberry32. Not for keys. */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 (inclusive) to 1 (exclusive). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** True in `probability` (0 to 1) of all calls. Draws one number also for 0 and 1, so that one setting does not shift the others. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
}
