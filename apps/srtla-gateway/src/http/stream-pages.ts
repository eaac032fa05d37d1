import type { srtla } from '@mediaplane/proto';
import { hostPort } from '@mediaplane/service';
import type { OnReport } from '../watch/statistics-bus.ts';
import { FRESH_MS, KBIT, rounded } from './page-figures.ts';

const MBIT = 1e6;

interface Stream {
  readonly sample: srtla.GroupSample;
  readonly heardMs: number;
}

/**
 * What scene switchers read of streams, in the words of the servers that they know: SRT Live Server (NOALBS types SrtLiveServer and
 * Belabox: `publishers` by name, bitrates in kbit/s) and OpenIRL's, which adds `peers`, a link each. Names are those of streams; the
 * second stream of a name, and every one by its id, stands under the id of its group. What we cannot know, because it happens in the
 * SRT server, is 0.
 */
export class StreamPages {
  /** By id of the group. */
  readonly #streams = new Map<string, Stream>();

  readonly onReport: OnReport = ({ groups }) => {
    const heardMs = performance.now();
    for (const sample of groups) {
      // Without a time none stands, and one that has ended is there no more.
      if (sample.streamTime === undefined) this.#streams.delete(sample.groupId);
      else this.#streams.set(sample.groupId, { sample, heardMs });
    }
    for (const [groupId, stream] of this.#streams)
      if (heardMs - stream.heardMs > FRESH_MS) this.#streams.delete(groupId);
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
    const nowMs = performance.now();
    for (const [groupId, { sample, heardMs }] of this.#streams) {
      if (nowMs - heardMs <= FRESH_MS && sample.statistics !== undefined)
        yield [groupId, page(sample, sample.statistics)];
    }
  }

  /** Of two streams of one name, the one that came first, but for one that carries nothing: its sender may have begun anew. */
  #named(): Map<string, object> {
    const carries = (groupId: string): boolean => (this.#streams.get(groupId)?.sample.statistics?.bitrateBps ?? 0) > 0;
    const named = new Map<string, { groupId: string; body: object }>();
    for (const [groupId, body] of this.#pages()) {
      const name = this.#streams.get(groupId)?.sample.streamName ?? '';
      const first = named.get(name);
      if (first === undefined || (!carries(first.groupId) && carries(groupId))) named.set(name, { groupId, body });
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
