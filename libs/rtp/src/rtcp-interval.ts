/** Tmin of RFC 3550 6.2, in microseconds; half of it before the first report. */
const MINIMUM_US = 5e6;
/** e - 3/2: timer reconsideration makes the mean interval shorter by this, and so it is made longer (RFC 3550 6.3.1, A.7). */
const COMPENSATION = Math.E - 1.5;

/**
 * Time to the next report, in microseconds, of one of two parties (RFC 3550 6.3.1 and A.7): with two members the share of the
 * bandwidth that RTCP may have is never the limit for audio, so Tmin is. `random` is uniform in [0, 1): 2.05 to 6.16 s, half of
 * that for the first.
 */
export function rtcpIntervalUs(initial: boolean, random: number): number {
  return ((initial ? MINIMUM_US / 2 : MINIMUM_US) * (random + 0.5)) / COMPENSATION;
}
