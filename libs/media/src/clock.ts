const ORIGIN_READINGS = 8;

/**
 * Microseconds of the machine's monotonic clock, as a double, the same on every thread of the process
 * (`performance.now()` alone starts at zero in each worker). About 30 ns a call: read it once a batch, not once a packet.
 */
export function createMonotonicClock(): () => number {
  const originUs = monotonicOriginUs();
  // The global is a getter, which costs more than the reading itself.
  const clock = performance;
  return () => originUs + clock.now() * 1000;
}

/** When this thread's `performance.now()` was zero, on the machine's monotonic clock. */
function monotonicOriginUs(): number {
  let originUs = 0;
  let tightestUs = Infinity;
  // Of several readings the one between whose ends least time went by: whoever is stopped in the middle is off by that.
  for (let reading = 0; reading < ORIGIN_READINGS; reading += 1) {
    const beforeUs = Number(process.hrtime.bigint()) / 1000;
    const thisUs = performance.now() * 1000;
    const tookUs = Number(process.hrtime.bigint()) / 1000 - beforeUs;
    if (tookUs >= tightestUs) continue;
    tightestUs = tookUs;
    originUs = beforeUs + tookUs / 2 - thisUs;
  }
  return originUs;
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
