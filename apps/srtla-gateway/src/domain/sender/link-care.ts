import { EnhancedMode } from './enhanced/enhanced-mode.ts';
import type { LinkTable } from './link-table.ts';
import { NO_CAP } from './link.ts';
import type { SenderLink } from './link.ts';
import type { SchedulingMode } from './options.ts';
import { priorityOf } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { SendLog } from './send-log.ts';
import type { SenderEvents } from './sender-parts.ts';

/** How often a mode's opinion of the links is asked for: irlserver's srtla_send caches it as long (reference 2.3). */
const REFRESH_US = 50_000;
const SECOND_US = 1e6;
/** Enhanced mode leaves a link only for one that is so much better (enhanced.rs, reference 2.3). */
const HYSTERESIS = 1.1;

/** Looks after the links beside their packets: what the mode thinks of them, figures of each second, caps. */
export class LinkCare {
  readonly #links: LinkTable;
  readonly #log: SendLog;
  readonly #scheduler: Scheduler;
  readonly #events: Pick<SenderEvents, 'linkWeak' | 'linkStrong' | 'capReached'>;
  readonly #enhanced: EnhancedMode;
  #mode: SchedulingMode = 'classic';
  #refreshedUs = -Infinity;
  #secondUs = -Infinity;

  constructor(
    links: LinkTable,
    log: SendLog,
    scheduler: Scheduler,
    events: Pick<SenderEvents, 'linkWeak' | 'linkStrong' | 'capReached'>,
  ) {
    this.#links = links;
    this.#log = log;
    this.#scheduler = scheduler;
    this.#events = events;
    this.#enhanced = new EnhancedMode(links, events);
  }

  get mode(): SchedulingMode {
    return this.#mode;
  }

  setMode(mode: SchedulingMode): void {
    if (mode === 'classic') this.#enhanced.end();
    this.#mode = mode;
    this.#scheduler.hysteresis = mode === 'enhanced' ? HYSTERESIS : 1;
    this.#refreshedUs = -Infinity;
  }

  /** Links, or their settings, have changed. */
  update(): void {
    // One that comes to its cap is told of, with the next tick; one whose cap was raised is open at once.
    for (const link of this.#links.all) if (link.capReached) link.capReached = isAtCap(link);
    this.#links.update();
    this.#scheduler.update();
    this.#refreshedUs = -Infinity;
  }

  /** Before packets are given to links. */
  refresh(nowUs: number): void {
    if (nowUs - this.#refreshedUs < REFRESH_US) return;
    this.#refreshedUs = nowUs;
    if (this.#mode === 'enhanced') this.#enhanced.refresh(nowUs, this.#log);
    else for (const link of this.#links.live) asIs(link);
  }

  /** Now and then. @param latencyMs of the SRT session */
  onTick(latencyMs: number, nowUs: number): void {
    for (const link of this.#links.all) {
      if (link.capReached || !isAtCap(link)) continue;
      link.capReached = true;
      this.update();
      this.#events.capReached(link);
    }
    this.refresh(nowUs);
    if (nowUs - this.#secondUs < SECOND_US) return;
    this.#secondUs = nowUs;
    for (const link of this.#links.all) {
      link.meter.delivered = this.#log.delivered(link.index);
      link.meter.tick(nowUs);
      link.rtt.tick();
      link.losses.tick(link.meter.sentPackets, link.meter.lostPackets);
      link.rate.tick(link.meter, link.rtt);
    }
    if (this.#mode === 'enhanced') this.#enhanced.tick(latencyMs);
  }
}

/** Classic mode: windows alone, and the link's priority. */
function asIs(link: SenderLink): void {
  link.factor = priorityOf(link);
  link.inFlightCap = NO_CAP;
}

function isAtCap({ settings, cappedBytes }: SenderLink): boolean {
  return settings.capBytes > 0 && cappedBytes >= settings.capBytes;
}
