/** Reports come once a second: what is older is of an instance that does not answer. */
export const FRESH_MS = 5000;
export const KBIT = 1000;

/** To thousandths. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
