/**
 * Microseconds of the machine's monotonic clock, as a double, the same on every thread of the process
 * (`performance.now()` alone starts at zero in each worker). About 30 ns a call: read it once a batch, not once a packet.
 */
export function createMonotonicClock(): () => number {
  const originUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;
  return () => originUs + performance.now() * 1000;
}

/** Differences below this are the rounding of `Date.now()`, not a step of the wall clock. */
const WALL_CLOCK_STEP_US = 50_000;

/**
 * What to add to monotonic microseconds to get Unix microseconds. Follows steps of the wall clock and ignores everything
 * smaller, so that intervals measured across two calls keep the precision of the monotonic clock.
 */
export function followWallClock(previousOffsetUs: number | null, nowUs: number): number {
  const offsetUs = Date.now() * 1000 - nowUs;
  const stepped = previousOffsetUs === null || Math.abs(offsetUs - previousOffsetUs) > WALL_CLOCK_STEP_US;
  return stepped ? offsetUs : previousOffsetUs;
}
