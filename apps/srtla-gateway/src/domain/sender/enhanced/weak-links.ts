import type { SenderLink } from '../link.ts';
import type { WeakReason } from '../sender-parts.ts';
import { WINDOW_START } from '../window.ts';

// irlserver's srtla_send, classifier.rs (reference 2.4), but where it says otherwise. A tick is a second.
const BUDGET_RTTS = 3;
const LEAST_BUDGET_MS = 500;
const MOST_BUDGET_MS = 5000;
/** Round trips that are good enough, as shares of the budget with a bound; the tightest that holds most of the stream counts. */
const TIERS = [
  { share: 0.4, mostMs: 2500 },
  { share: 0.5, mostMs: 2500 },
  { share: 0.6, mostMs: 5000 },
] as const;
const LEAST_HELD = 0.85;
const FALLBACK_TIER = 1;
const FALLBACK_HELD = 0.25;
const QUEUE_TICKS = 2;
/** Of a fair share of the stream: below the one a link is weak, from the other on it is not any more. */
const WEAK_SHARE = 0.25;
const STRONG_SHARE = 0.75;
/** Below this in all, shares say nothing. */
const LEAST_TOTAL_BPS = 100e3;
/** A link that was given little because it is weak cannot show that it has become better: it is tried for a while. */
const WEAK_TICKS = 15;
const PROBATION_TICKS = 3;
/** What the others are thought to carry, over what there is to carry. */
const SPARE = 1.2;

/** Tells, once a second, which links are of little use to the stream. */
export class WeakLinks {
  readonly #queueTicks: number[] = [];
  readonly #weakTicks: number[] = [];
  readonly #probationTicks: number[] = [];

  /** @param latencyMs of the SRT session: what comes later than this is of no use, whatever the budget (ours) */
  reasonsOf(links: readonly SenderLink[], latencyMs: number, into: (WeakReason | null)[]): void {
    const totalBps = links.reduce((sum, { meter }) => sum + meter.bitrateBps, 0);
    const limitMs = totalBps < LEAST_TOTAL_BPS ? Infinity : rttLimitMs(links, totalBps);
    for (const { index, weak } of links) into[index] = weak;
    for (const link of links) {
      const reason = this.#reasonOf(link, links, totalBps, Math.min(limitMs, latencyMs));
      const isUseless = reason === 'loss' || link.rtt.valueMs > latencyMs;
      into[link.index] = isUseless || canSpare(link, links, totalBps, into) ? reason : null;
    }
  }

  #reasonOf(link: SenderLink, links: readonly SenderLink[], totalBps: number, limitMs: number): WeakReason | null {
    const { index, losses, rtt, weak } = link;
    if (losses.isDegraded) return 'loss';
    if (totalBps < LEAST_TOTAL_BPS || links.length < 2) return null;
    if (rtt.valueMs > limitMs) return 'rtt';
    this.#queueTicks[index] = rtt.isQueueBuilding ? (this.#queueTicks[index] ?? 0) + 1 : 0;
    if (this.#queueTicks[index] >= QUEUE_TICKS) return 'queue';
    return this.#isShareWeak(link, links, weak === 'share') ? 'share' : null;
  }

  /** A link whose share is small because it has lost (ours: where others alone have room enough, one that is idle is none the worse). */
  #isShareWeak(link: SenderLink, links: readonly SenderLink[], wasWeak: boolean): boolean {
    const { index, window } = link;
    const peers = links.filter((peer) => isPeer(peer, link));
    const peersBps = peers.reduce((sum, { meter }) => sum + meter.bitrateBps, 0);
    if (
      window >= WINDOW_START ||
      peers.length < 2 ||
      peersBps < LEAST_TOTAL_BPS ||
      (this.#probationTicks[index] ?? 0) > 0
    ) {
      this.#probationTicks[index] = Math.max((this.#probationTicks[index] ?? 0) - 1, 0);
      this.#weakTicks[index] = 0;
      return false;
    }
    const ofFair = (link.meter.bitrateBps / peersBps) * peers.length;
    if (ofFair >= (wasWeak ? STRONG_SHARE : WEAK_SHARE)) {
      this.#weakTicks[index] = 0;
      return false;
    }
    this.#weakTicks[index] = (this.#weakTicks[index] ?? 0) + 1;
    if (this.#weakTicks[index] > WEAK_TICKS) {
      this.#probationTicks[index] = PROBATION_TICKS;
      return false;
    }
    return true;
  }
}

/**
 * Whether the others can do without the link (ours): where every link is needed a slow one is better than queues in the good ones, which
 * then look weak in their turn.
 */
function canSpare(
  link: SenderLink,
  links: readonly SenderLink[],
  totalBps: number,
  reasons: readonly (WeakReason | null)[],
): boolean {
  let othersBps = 0;
  for (const other of links) {
    if (other !== link && !other.suspect && reasons[other.index] === null) othersBps += other.rate.bps;
  }
  return othersBps >= SPARE * totalBps;
}

/** Those that by their settings should carry as much (ours: the classifier that this follows knows no cost, priority or limit). */
function isPeer(peer: SenderLink, link: SenderLink): boolean {
  const { cost, priority, maxBitrateBps } = link.settings;
  const { settings } = peer;
  return (
    !peer.suspect &&
    settings.cost === cost &&
    settings.priority === priority &&
    settings.maxBitrateBps === maxBitrateBps
  );
}

function rttLimitMs(links: readonly SenderLink[], totalBps: number): number {
  const longestMs = links.reduce((longest, { rtt }) => Math.max(longest, rtt.valueMs), 0);
  const budgetMs = Math.min(Math.max(BUDGET_RTTS * longestMs, LEAST_BUDGET_MS), MOST_BUDGET_MS);
  const limits = TIERS.map(({ share, mostMs }) => Math.min(budgetMs * share, mostMs));
  const held = (limitMs: number): number =>
    links.reduce((sum, { rtt, meter }) => sum + (rtt.valueMs <= limitMs ? meter.bitrateBps : 0), 0) / totalBps;
  const tightest = limits.find((limitMs) => held(limitMs) >= LEAST_HELD);
  if (tightest !== undefined) return tightest;
  const fallback = limits[FALLBACK_TIER];
  return held(fallback) >= FALLBACK_HELD ? fallback : Infinity;
}
