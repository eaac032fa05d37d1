import type { SenderLink } from '../link.ts';

// irlserver's srtla_send, quality.rs (reference 2.3).
/** A link this young is not judged yet. */
const YOUNG_US = 30e6;
const NEVER_LOST = 1.1;
const YOUNG_LOST = 0.98;
const LOSS_PENALTY = 0.5;
const LOSS_FADES_US = 2e6;
const BURST_LOSSES = 5;
const BURST_US = 3e6;
const BURST_PENALTY = 0.7;
/** A short round trip is worth up to 3 %. */
const SHORT_RTT_MS = 200;
const SHORTEST_RTT_MS = 50;
const RTT_BONUS = 1.03;
/** Until two round trips are known or five seconds have gone by (enhanced.rs, phases). */
const WARMING = 0.8;
const WARM_SAMPLES = 2;
const WARM_US = 5e6;

/** What the score of a link is multiplied by for its losses, its round trip and its age; about 1. */
export function qualityOf({ losses, rtt, upUs }: SenderLink, nowUs: number): number {
  const ageUs = nowUs - upUs;
  const warm = rtt.samples >= WARM_SAMPLES || ageUs >= WARM_US ? 1 : WARMING;
  const bonus = rtt.valueMs < 0 ? 1 : SHORT_RTT_MS / Math.max(rtt.valueMs, SHORTEST_RTT_MS);
  return warm * ofLosses(nowUs - losses.lastUs, losses.burst, ageUs) * Math.min(Math.max(bonus, 1), RTT_BONUS);
}

function ofLosses(sinceUs: number, burst: number, ageUs: number): number {
  if (sinceUs === Infinity) return NEVER_LOST;
  if (ageUs < YOUNG_US) return YOUNG_LOST;
  const quality = 1 - LOSS_PENALTY * Math.exp(-sinceUs / LOSS_FADES_US);
  return burst >= BURST_LOSSES && sinceUs < BURST_US ? quality * BURST_PENALTY : quality;
}
