import type { srtla } from '@mediaplane/proto';
import type { OnReport } from '../watch/statistics-bus.ts';
import { FRESH_MS, KBIT, rounded } from './page-figures.ts';

interface HeardSample {
  readonly sample: srtla.UplinkSample;
  readonly heardMs: number;
}

/** What a dashboard on the sending side reads: uplinks by name, the second of a name by its id; units as on the page of streams. */
export class UplinkPages {
  /** By id. */
  readonly #uplinks = new Map<string, HeardSample>();

  readonly onReport: OnReport = ({ uplinks }) => {
    const heardMs = performance.now();
    for (const sample of uplinks) this.#uplinks.set(sample.uplinkId, { sample, heardMs });
    for (const [uplinkId, uplink] of this.#uplinks)
      if (heardMs - uplink.heardMs > FRESH_MS) this.#uplinks.delete(uplinkId);
  };

  /** `/uplinks` */
  all(): object {
    const nowMs = performance.now();
    const bodies = new Map<string, object>();
    for (const [uplinkId, { sample, heardMs }] of this.#uplinks) {
      const { name, statistics } = sample;
      if (nowMs - heardMs > FRESH_MS || statistics === undefined) continue;
      bodies.set(bodies.has(name) ? uplinkId : name, page(uplinkId, statistics));
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
