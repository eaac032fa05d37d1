/**
 * Listening and conversational quality of G.711 by the E-model (ITU-T G.107), at the model's defaults but for what a network
 * does: R = 93.2 - Idd - Ie,eff. The result is an estimate for a narrow-band call: at best 4.41, never below 1, the scale of
 * MOS-CQE ending at 4.5.
 */

/** R of a call whose parameters all have the defaults of G.107 table 2. */
const DEFAULT_R = 93.2;
/** Delay in ms up to which Idd is 0 (G.107 7.4). */
const FREE_DELAY_MS = 100;
/** G.711 with the packet loss concealment of its appendix I, random loss (G.113 appendix I). */
const G711_IE = 0;
const G711_BPL = 25.1;
const MAX_IMPAIRMENT = 95;
/** A receiver's buffer holds about twice the mean jitter. */
const BUFFER_PER_JITTER = 2;

/** Idd of G.107 7.4 with the default delay sensitivity; `oneWayMs`: mouth to ear. */
export function delayImpairment(oneWayMs: number): number {
  if (oneWayMs <= FREE_DELAY_MS) return 0;
  const x = Math.log2(oneWayMs / FREE_DELAY_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie,eff of G.107 7.5 for G.711 and random loss; `lossRatio` 0 to 1. */
export function lossImpairment(lossRatio: number): number {
  const percent = lossRatio * 100;
  return G711_IE + ((MAX_IMPAIRMENT - G711_IE) * percent) / (percent + G711_BPL);
}

/** MOS from R, 1 to 4.5 (G.107 annex B). */
export function mosFromR(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  // The cubic dips below 1 for R under 6.5.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** MOS-CQE of a direction of a G.711 call. `lossRatio` 0 to 1; `roundTripMs` 0 where it is not known. */
export function estimateMos(lossRatio: number, jitterMs: number, roundTripMs: number, ptimeMs = 20): number {
  const oneWayMs = roundTripMs / 2 + BUFFER_PER_JITTER * jitterMs + ptimeMs;
  return mosFromR(DEFAULT_R - delayImpairment(oneWayMs) - lossImpairment(Math.max(0, Math.min(1, lossRatio))));
}
