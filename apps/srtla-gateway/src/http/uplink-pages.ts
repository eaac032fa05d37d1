import type { srtla } from '@mediaplane/proto';
import type { OnReport } from '../watch/statistics-bus.ts';
import { FreshSamples } from './fresh-samples.ts';
import { KBIT, rounded } from './page-figures.ts';

/** What a dashboard on the sending side reads: uplinks by name, the second of a name by its id; units as on the page of streams. */
export class UplinkPages {
  readonly #uplinks = new FreshSamples<srtla.UplinkSample>();

  readonly onReport: OnReport = ({ uplinks }) => {
    for (const sample of uplinks) this.#uplinks.set(sample.uplinkId, sample);
    this.#uplinks.forgetOld();
  };

  /** `/uplinks` */
  all(): object {
    const bodies = new Map<string, object>();
    for (const [uplinkId, { name, statistics }] of this.#uplinks) {
      if (statistics !== undefined) bodies.set(bodies.has(name) ? uplinkId : name, page(uplinkId, statistics));
    }
    return { status: 'ok', uplinks: Object.fromEntries(bodies) };
  }
}

function page(id: string, statistics: srtla.UplinkStatistics): object {
  return {
    id,
    bitrate: Math.round(statistics.bitrateBps / KBIT),
    packets: statistics.packets,
    resent: statistics.resentPackets,
    expired: statistics.expiredPackets,
    duplicates: statistics.duplicatePackets,
    dropped: statistics.droppedPackets,
    links: statistics.links.map((link) => ({
      name: link.linkName,
      bitrate: Math.round(link.bitrateBps / KBIT),
      capacity: Math.round(link.capacityBps / KBIT),
      share: rounded(link.share),
      rtt: rounded(link.rttMs ?? 0),
      window: rounded(link.windowPackets),
      inFlight: link.inFlightPackets,
      nakRate: rounded(link.nakRate),
      uptime: Math.round(link.uptimeMs / 1000),
      bytes: link.dataBytes,
    })),
  };
}
