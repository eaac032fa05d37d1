import type { srtla } from '@mediaplane/proto';
import { hostPort } from '@mediaplane/service';
import type { OnReport } from '../watch/statistics-bus.ts';
import { FreshSamples } from './fresh-samples.ts';
import { KBIT, rounded } from './page-figures.ts';

const MBIT = 1e6;

/**
 * What scene switchers read of streams, in the words of the servers that they know: SRT Live Server (NOALBS types SrtLiveServer and
 * Belabox: `publishers` by name, bitrates in kbit/s) and OpenIRL's, which adds `peers`, a link each. Names are those of streams; the
 * second stream of a name, and every one by its id, stands under the id of its group. What we cannot know, because it happens in the
 * SRT server, is 0.
 */
export class StreamPages {
  readonly #streams = new FreshSamples<srtla.GroupSample>();

  readonly onReport: OnReport = ({ groups }) => {
    for (const sample of groups) {
      // Without a time none stands, and one that has ended is there no more.
      if (sample.streamTime === undefined) this.#streams.delete(sample.groupId);
      else this.#streams.set(sample.groupId, sample);
    }
    this.#streams.forgetOld();
  };

  /** `/stats` */
  all(): object {
    // Not by assignment: a stream may be called `__proto__`.
    return { status: 'ok', publishers: Object.fromEntries([...this.#pages(), ...this.#named()]) };
  }

  /** `/stats/<name>`; without `publisher` when there is no such stream now. */
  one(name: string): object {
    const page = new Map([...this.#pages(), ...this.#named()]).get(name);
    return page === undefined ? { status: 'ok' } : { status: 'ok', publisher: page };
  }

  *#pages(): Generator<[string, object]> {
    for (const [groupId, sample] of this.#streams) {
      if (sample.statistics !== undefined) yield [groupId, page(sample, sample.statistics)];
    }
  }

  /** Of two streams of one name, the one that came first, but for one that carries nothing: its sender may have begun anew. */
  #named(): Map<string, object> {
    const named = new Map<string, { carries: boolean; body: object }>();
    for (const [, sample] of this.#streams) {
      const { streamName, statistics } = sample;
      if (statistics === undefined) continue;
      const carries = statistics.bitrateBps > 0;
      const first = named.get(streamName);
      if (first === undefined || (!first.carries && carries))
        named.set(streamName, { carries, body: page(sample, statistics) });
    }
    return new Map([...named].map(([name, { body }]) => [name, body]));
  }
}

function page({ latencyMs, streamTime }: srtla.GroupSample, statistics: srtla.GroupStatistics): object {
  const kbps = Math.round(statistics.bitrateBps / KBIT);
  return {
    bitrate: kbps,
    rtt: rounded(statistics.rttMs ?? 0),
    uptime: secondsBetween(streamTime, statistics.sampleTime),
    latency: latencyMs,
    buffer: 0,
    dropped_pkts: 0,
    bytesRcvDrop: 0,
    bytesRcvLoss: 0,
    mbpsBandwidth: 0,
    mbpsRecvRate: rounded(statistics.bitrateBps / MBIT),
    msRcvBuf: 0,
    pktRcvDrop: 0,
    pktRcvLoss: statistics.nakPackets,
    nakRate: rounded(statistics.nakRate),
    peers: statistics.links.map((link) => ({
      address: link.address === undefined ? '' : hostPort(link.address.address, link.address.port),
      bitrate: Math.round(link.bitrateBps / KBIT),
      rtt: rounded(link.rttMs ?? 0),
      nakRate: rounded(link.nakRate ?? 0),
      share: rounded(link.share),
      jitter: rounded(link.jitterMs),
      uptime: Math.round(link.uptimeMs / 1000),
      bytes: link.bytes,
    })),
  };
}

/** Both by the clock of the group's instance. */
function secondsBetween(from: Date | undefined, to: Date | undefined): number {
  if (from === undefined || to === undefined) return 0;
  return Math.max(Math.round((to.getTime() - from.getTime()) / 1000), 0);
}
