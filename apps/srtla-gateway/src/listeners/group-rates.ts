import type { srtla } from '@mediaplane/proto';
import type { GroupLinkStatistics, GroupStatistics } from '../media/listener-contract.ts';
import { endpoint, endpointText } from './endpoint.ts';

const BITS = 8;
/** Below this, two readings are too close for a rate. */
const LEAST_SECONDS = 0.5;

interface Reading {
  readonly sampledUs: number;
  readonly group: GroupStatistics;
}

type Counted = Pick<GroupStatistics, 'upMs' | 'packets' | 'bytes' | 'serverNakPackets'>;

/**
 * Makes what the API tells of counters that only grow: rates and shares, over the time between two readings. A media thread that dies
 * takes its counters with it: what it had counted is kept, and rates begin anew.
 */
export class GroupRates {
  /** The last two of those that are taken each second, of the media thread that has the group. */
  #older: Reading | undefined;
  #newer: Reading | undefined;
  /** By media threads that had the group before. */
  #former: Counted;

  /** `formerUpMs`: how long the group was up before any reading could be taken here. */
  constructor(formerUpMs = 0) {
    this.#former = { upMs: formerUpMs, packets: 0, bytes: 0, serverNakPackets: 0 };
  }

  /** The reading of the second. */
  tick(sampledUs: number, group: GroupStatistics): void {
    this.#take(group);
    this.#older = this.#newer;
    this.#newer = { sampledUs, group };
  }

  get latest(): srtla.GroupStatistics | undefined {
    return this.#newer === undefined ? undefined : this.#describe(this.#newer, this.#older);
  }

  /** A reading in between: its counters are of now, its rates over the last half to two seconds. */
  at(sampledUs: number, group: GroupStatistics): srtla.GroupStatistics {
    this.#take(group);
    const newer = this.#newer;
    const farEnough = newer !== undefined && (sampledUs - newer.sampledUs) / 1e6 >= LEAST_SECONDS;
    return this.#describe({ sampledUs, group }, farEnough ? newer : this.#older);
  }

  /** Is it of another media thread than the last? */
  #take({ upMs }: GroupStatistics): void {
    const last = this.#newer?.group;
    if (last === undefined || upMs >= last.upMs) return;
    const { packets, bytes, serverNakPackets } = this.#former;
    this.#former = {
      upMs: this.#former.upMs + last.upMs,
      packets: packets + last.packets,
      bytes: bytes + last.bytes,
      serverNakPackets: serverNakPackets + last.serverNakPackets,
    };
    this.#older = undefined;
    this.#newer = undefined;
  }

  #describe(now: Reading, before: Reading | undefined): srtla.GroupStatistics {
    const { group } = now;
    const seconds = before === undefined ? group.upMs / 1000 : (now.sampledUs - before.sampledUs) / 1e6;
    const perSecond = (increase: number): number => (seconds > 0 ? Math.max(increase, 0) / seconds : 0);
    const earlier = new Map(before?.group.links.map((link) => [endpointText(link.address), link]));
    const gains = group.links.map((link) => gain(link, earlier.get(endpointText(link.address))));
    const gained = gains.reduce((sum, bytes) => sum + bytes, 0);
    const links = group.links.map((link, i) => {
      const rates = { bytesPerSecond: perSecond(gains[i]), share: gained > 0 ? gains[i] / gained : 0, perSecond };
      return linkStatistics(link, earlier.get(endpointText(link.address)), rates);
    });
    return {
      sampleTime: new Date(),
      bitrateBps: Math.round(perSecond(group.bytes - (before?.group.bytes ?? 0)) * BITS),
      packets: this.#former.packets + group.packets,
      bytes: this.#former.bytes + group.bytes,
      nakPackets: this.#former.serverNakPackets + group.serverNakPackets,
      nakRate: perSecond(group.serverNakPackets - (before?.group.serverNakPackets ?? 0)),
      rttMs: meanRtt(links),
      uptimeMs: Math.round(this.#former.upMs + group.upMs),
      links,
    };
  }
}

interface LinkRates {
  readonly bytesPerSecond: number;
  readonly share: number;
  perSecond(increase: number): number;
}

function linkStatistics(
  link: GroupLinkStatistics,
  before: GroupLinkStatistics | undefined,
  { bytesPerSecond, share, perSecond }: LinkRates,
): srtla.GroupLinkStatistics {
  const { telemetry } = link;
  return {
    address: endpoint(link.address),
    relayedBy: link.relayedBy ?? '',
    bitrateBps: Math.round(bytesPerSecond * BITS),
    share,
    packets: link.packets,
    bytes: link.bytes,
    jitterMs: link.jitterMs,
    uptimeMs: Math.round(link.upMs),
    silentMs: Math.round(link.heardAgoMs),
    // 0: its sender has not measured any yet.
    rttMs: telemetry?.smoothedRttMs || undefined,
    nakRate: telemetry === null ? undefined : perSecond(telemetry.naks - (before?.telemetry?.naks ?? telemetry.naks)),
    windowPackets: telemetry === null ? undefined : telemetry.window / 1000,
    inFlightPackets: telemetry?.inFlightPackets,
  };
}

/** Bytes since the reading before; an address that registered anew counts from nothing. */
function gain(now: GroupLinkStatistics, before: GroupLinkStatistics | undefined): number {
  return before === undefined || before.bytes > now.bytes ? now.bytes : now.bytes - before.bytes;
}

/** Of the links whose senders tell, by what they carry; of idle links, the plain mean. */
function meanRtt(links: readonly srtla.GroupLinkStatistics[]): number | undefined {
  let weights = 0;
  let sum = 0;
  for (const { rttMs, share } of links) {
    if (rttMs === undefined) continue;
    const weight = share + 1e-6;
    weights += weight;
    sum += weight * rttMs;
  }
  return weights === 0 ? undefined : sum / weights;
}
