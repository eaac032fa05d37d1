/** How far `a` is ahead of `b` on the circle of 16-bit sequence numbers (RFC 1982): -32768 to 32767. */
export function sequenceDelta(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** A jump ahead of this many packets or more is a restart, not a loss (RFC 3550 A.1). */
export const MAX_DROPOUT = 3000;
/** A packet this many behind the newest, or more, is from before a restart, not late (RFC 3550 A.1). */
export const MAX_MISORDER = 100;
