/** Buckets for each power of two: a percentile is at most 1/64 above the true value. */
const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** Values of 2^27 us (134 s) and more share the last bucket. */
const VALUE_BITS = 27;
const MAX_VALUE = 2 ** VALUE_BITS - 1;
const BUCKETS = (VALUE_BITS - SUB_BUCKET_BITS + 1) * SUB_BUCKETS;

/** Distribution of durations, in ms. */
export interface LatencyMs {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A histogram of microseconds: log-linear buckets of fixed number, so that recording allocates nothing. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  /** Negative values count as 0. */
  record(us: number): void {
    const value = us > 0 ? (us < MAX_VALUE ? us | 0 : MAX_VALUE) : 0;
    // Values below 2 * SUB_BUCKETS are exact; above, SUB_BUCKETS to each power of two.
    const shift = value < 2 * SUB_BUCKETS ? 0 : 31 - SUB_BUCKET_BITS - Math.clz32(value);
    this.#counts[shift * SUB_BUCKETS + (value >> shift)] += 1;
    this.#count += 1;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The upper end of the bucket that holds the quantile, never above the maximum; 0 when empty. `quantile`: 0 to 1. */
  quantileUs(quantile: number): number {
    const rank = Math.max(Math.ceil(quantile * this.#count), 1);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket];
      if (seen >= rank) return Math.min(highestValue(bucket), this.#maxUs);
    }
    return 0;
  }

  toMs(): LatencyMs {
    const ms = (us: number): number => Math.round(us) / 1000;
    return {
      p50: ms(this.quantileUs(0.5)),
      p95: ms(this.quantileUs(0.95)),
      p99: ms(this.quantileUs(0.99)),
      max: ms(this.#maxUs),
    };
  }
}

/** The largest value that falls into a bucket, but the last. */
function highestValue(bucket: number): number {
  const shift = Math.max((bucket >> SUB_BUCKET_BITS) - 1, 0);
  return (bucket - shift * SUB_BUCKETS + 1) * 2 ** shift - 1;
}
