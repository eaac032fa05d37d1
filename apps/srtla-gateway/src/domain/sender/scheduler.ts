import type { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { SendLog } from './send-log.ts';
import { WINDOW_UNIT } from './window.ts';

/**
 * What speaks against a link, the least first; it adds up, and a link with less against it goes before one with more, whatever their
 * scores. Costs, 1000 at the most, come before all of it.
 */
const DEAREST = 1 << 10;
const OVER_LIMIT = 1 << 12;
/** A link of little use, and one that is over its limit and has no room left: their scores tell. */
const LITTLE_USE = 1 << 13;
const AVOIDED = 1 << 14;
const SUSPECT = 1 << 15;
/** Ours: a link with a limit may be ahead of it by this much, for packets come in bursts. */
const LIMIT_SLACK_US = 20_000;
/**
 * Ours: of packets that come in one pass, so many in a row go by one link as long as no other has more than twice its room. They leave in
 * one call, link by link: given out one by one, what an encoder sends in a burst would leave in another order.
 */
const RUN_PACKETS = 8;
const RUN_ROOM = 2;
/** Moblin's sender (M/Client, reference 4): a priority counts in full from this window on, below the other not at all. */
const PRIORITY_FROM = 10 * WINDOW_UNIT;
const PRIORITY_FULL = 20 * WINDOW_UNIT;

/** Gives each packet to a link: in any mode, the one with the most room of those with the least against them, of equals the first. */
export class Scheduler {
  /** The link that had the last packet keeps the stream unless another is better by this factor; 1: as soon as it is better. */
  hysteresis = 1;
  readonly #links: LinkTable;
  readonly #log: SendLog;
  #last: SenderLink | undefined;
  #costs = false;
  /** When the last packet was given out, and how many in a row its link has had since. */
  #lastUs = -Infinity;
  #run = 0;

  constructor(links: LinkTable, log: SendLog) {
    this.#links = links;
    this.#log = log;
  }

  /** Links or their settings have changed. */
  update(): void {
    const [first] = this.#links.all;
    this.#costs = this.#links.all.some(({ settings }) => settings.cost !== first.settings.cost);
    this.#last = undefined;
  }

  /** @param avoided bits of links by number, only to be taken if there is no other @returns undefined where no link takes data */
  select(avoided: number, nowUs: number): SenderLink | undefined {
    const { takers } = this.#links;
    let best: SenderLink | undefined;
    let bestScore = -1;
    let bestAgainst = Infinity;
    let lastScore = -1;
    let lastAgainst = Infinity;
    for (let i = 0; i < takers.length; i += 1) {
      const link = takers[i];
      const inFlight = this.#log.inFlight(link.index);
      const room = link.score(inFlight);
      const score = room * link.factor;
      let against = this.#costs ? this.#costOf(link, room) : 0;
      if (link.weak !== null) against += LITTLE_USE;
      else if (inFlight > link.inFlightCap || link.isOverLimit(nowUs, LIMIT_SLACK_US)) {
        against += room < WINDOW_UNIT ? LITTLE_USE : OVER_LIMIT;
      }
      if (((avoided >> link.index) & 1) !== 0) against += AVOIDED;
      if (link.suspect) against += SUSPECT;
      if (link === this.#last) {
        lastScore = score;
        lastAgainst = against;
      }
      if (against > bestAgainst || (against === bestAgainst && score <= bestScore)) continue;
      best = link;
      bestScore = score;
      bestAgainst = against;
    }
    if (this.#keepsRun(nowUs) && lastAgainst === bestAgainst && bestScore < lastScore * RUN_ROOM) {
      this.#run += 1;
      return this.#last;
    }
    if (this.hysteresis > 1 && lastAgainst === bestAgainst && bestScore < lastScore * this.hysteresis)
      best = this.#last;
    if (avoided === 0) {
      this.#last = best;
      this.#lastUs = nowUs;
      this.#run = 1;
    }
    return best;
  }

  /** Whether the link of the last packet may have this one too, for both came in one pass. */
  #keepsRun(nowUs: number): boolean {
    return nowUs === this.#lastUs && this.#run < RUN_PACKETS;
  }

  /** Cheaper links first, as long as they carry what they are given. */
  #costOf({ settings, weak }: SenderLink, room: number): number {
    return room < WINDOW_UNIT || weak !== null ? DEAREST : settings.cost;
  }
}

/** A link's priority, faded in with its window: one that is in trouble is not pressed. */
export function priorityOf({ settings, window }: SenderLink): number {
  if (settings.priority === 1) return 1;
  const full = Math.min(Math.max((window - PRIORITY_FROM) / (PRIORITY_FULL - PRIORITY_FROM), 0), 1);
  return 1 + (settings.priority - 1) * full;
}
