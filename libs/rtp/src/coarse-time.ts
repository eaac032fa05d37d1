/**
 * Milliseconds of the monotonic clock, modulo 2^32, as int32: a time that is kept for every packet. V8 keeps a number of this
 * kind inside its object, and a fraction or anything larger in a box of its own, one more cache line for every packet.
 */
export function coarseTime(nowUs: number): number {
  return (nowUs / 1000) | 0;
}

/** Microseconds since `time`, exact to a millisecond and for up to 24 days. */
export function elapsedUs(nowUs: number, time: number): number {
  return ((coarseTime(nowUs) - time) | 0) * 1000;
}
