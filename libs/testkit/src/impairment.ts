import { SeededRandom } from './seeded-random.ts';

/** What happens to datagrams on the way out, as probabilities from 0 to 1. */
export interface Impairment {
  readonly loss?: number;
  readonly duplicate?: number;
  /** A datagram that is held back until the next one has gone. */
  readonly reorder?: number;
}

/** Loses, repeats and swaps datagrams, the same ones for the same seed. */
export class Impairer {
  impairment: Impairment;
  lost = 0;
  duplicated = 0;
  reordered = 0;
  private readonly random: SeededRandom;
  private held: Uint8Array | null = null;

  constructor(impairment: Impairment, seed: number) {
    this.impairment = impairment;
    this.random = new SeededRandom(seed);
  }

  /** What goes out now that `datagram` was to be sent. */
  pass(datagram: Uint8Array): Uint8Array[] {
    const { loss = 0, duplicate = 0, reorder = 0 } = this.impairment;
    const isLost = this.random.chance(loss);
    const isDuplicated = this.random.chance(duplicate);
    const isReordered = this.random.chance(reorder);
    if (isLost) {
      this.lost++;
      return [];
    }
    if (isReordered && this.held === null) {
      this.reordered++;
      this.held = datagram;
      return [];
    }
    if (isDuplicated) this.duplicated++;
    return [datagram, ...(isDuplicated ? [datagram] : []), ...this.release()];
  }

  /** The datagram that is still held back, if there is one. */
  release(): Uint8Array[] {
    const held = this.held === null ? [] : [this.held];
    this.held = null;
    return held;
  }
}
