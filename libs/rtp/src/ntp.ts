/** Seconds from 1900 (NTP, RFC 5905 6) to 1970 (Unix). */
const NTP_UNIX_SECONDS = 2_208_988_800;
const NTP_FRACTION_PER_US = 2 ** 32 / 1e6;

/** No round trip can be told. */
export const NO_ROUND_TRIP = -1;
/** A longer one is a report about something else. */
const MAX_ROUND_TRIP_UNITS = 60 * 65_536;

/** The seconds of an NTP timestamp, int32, from Unix time in microseconds. */
export function ntpSeconds(unixUs: number): number {
  return (Math.floor(unixUs / 1e6) + NTP_UNIX_SECONDS) | 0;
}

/** The fraction of an NTP timestamp, int32. */
export function ntpFraction(unixUs: number): number {
  return Math.floor((unixUs - Math.floor(unixUs / 1e6) * 1e6) * NTP_FRACTION_PER_US) | 0;
}

/** The middle 32 bits, int32, the unit being 1/65536 s: what LSR holds (RFC 3550 6.4.1). */
export function ntpMiddle(seconds: number, fraction: number): number {
  return (seconds << 16) | (fraction >>> 16);
}

/**
 * Round trip in microseconds from a report block that came at `arrivalMiddle` (RFC 3550 6.4.1, A - LSR - DLSR), or NO_ROUND_TRIP
 * where the peer has had no sender report, or what it says cannot be.
 */
export function roundTripUs(
  arrivalMiddle: number,
  lastSenderReport: number,
  delaySinceLastSenderReport: number,
): number {
  if (lastSenderReport === 0) return NO_ROUND_TRIP;
  const units = (arrivalMiddle - lastSenderReport - delaySinceLastSenderReport) | 0;
  if (units > MAX_ROUND_TRIP_UNITS || units < -MAX_ROUND_TRIP_UNITS) return NO_ROUND_TRIP;
  // Below zero by the rounding of the peer's clock.
  return Math.max(0, (units * 1e6) / 65_536);
}

/** DLSR, int32: a time span in units of 1/65536 s. */
export function ntpInterval(us: number): number {
  return Math.round((us * 65_536) / 1e6) | 0;
}
