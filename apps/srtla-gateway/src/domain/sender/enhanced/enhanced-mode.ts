import type { LinkTable } from '../link-table.ts';
import { NO_CAP } from '../link.ts';
import type { SenderLink } from '../link.ts';
import { priorityOf } from '../scheduler.ts';
import type { SendLog } from '../send-log.ts';
import type { SenderEvents, WeakReason } from '../sender-parts.ts';
import { qualityOf } from './quality.ts';
import { WeakLinks } from './weak-links.ts';

// irlserver's srtla_send, selection (reference 2.3).
const LEAST_SOFT_CAP = 0.1;
const GATE = 0.02;
/** A link may have in flight what it carries in this many of its least round trips. */
const IN_FLIGHT_RTTS = 1.5;
const PACKET_BYTES = 1316;
/** Ours: a packet is in flight until the server's next acknowledgement, each 10 ms, also where the round trip is next to nothing. */
const ACK_INTERVAL_MS = 10;

/** What the enhanced mode knows besides windows: it turns quality, rate and usefulness of each link into a factor of its score. */
export class EnhancedMode {
  readonly #links: LinkTable;
  readonly #events: Pick<SenderEvents, 'linkWeak' | 'linkStrong'>;
  readonly #weakLinks = new WeakLinks();
  readonly #reasons: (WeakReason | null)[] = [];

  constructor(links: LinkTable, events: Pick<SenderEvents, 'linkWeak' | 'linkStrong'>) {
    this.#links = links;
    this.#events = events;
  }

  /** Each 50 ms. */
  refresh(nowUs: number, log: SendLog): void {
    const { live } = this.#links;
    let anyStrong = false;
    for (const link of live) if (isStrong(link)) anyStrong = true;
    for (const link of live) {
      link.meter.sample(nowUs);
      link.widen(link.windowRecovery.step(link, nowUs));
      const gate = anyStrong && link.weak !== null ? GATE : 1;
      link.factor = priorityOf(link) * qualityOf(link, nowUs) * softCapOf(link, log.inFlight(link.index)) * gate;
      link.inFlightCap = inFlightCapOf(link);
    }
  }

  /** Each second. */
  tick(latencyMs: number): void {
    const { live } = this.#links;
    this.#weakLinks.reasonsOf(live, latencyMs, this.#reasons);
    for (const link of live) {
      const reason = this.#reasons[link.index];
      if (reason === link.weak) continue;
      const was = link.weak;
      link.weak = reason;
      if (reason === null) this.#events.linkStrong(link);
      else if (was === null) this.#events.linkWeak(link, reason);
    }
  }

  /** The mode has ended: no link is weak in the other. */
  end(): void {
    for (const link of this.#links.all) {
      if (link.weak !== null) this.#events.linkStrong(link);
      link.weak = null;
    }
  }
}

function isStrong({ weak, suspect, capReached }: SenderLink): boolean {
  return weak === null && !suspect && !capReached;
}

/**
 * What is left of the link's rate; 1 where that is not known, or nothing is under way. By the bitrate of the last quarter of a second
 * (ours): with figures of the last second the stream swings from link to link where all of them are nearly full.
 */
function softCapOf({ rate, meter }: SenderLink, inFlight: number): number {
  if (rate.bps === 0 || inFlight === 0) return 1;
  return Math.min(Math.max((rate.bps - meter.currentBps) / rate.bps, LEAST_SOFT_CAP), 1);
}

function inFlightCapOf({ rate, rtt }: SenderLink): number {
  if (rate.bps === 0 || rtt.samples === 0) return NO_CAP;
  const seconds = (rtt.minMs + ACK_INTERVAL_MS) / 1000;
  return Math.max(1, Math.floor(((rate.bps * seconds) / 8) * (IN_FLIGHT_RTTS / PACKET_BYTES)));
}
