import { plainAddress } from '@mediaplane/net';
import type { SenderLink } from '../domain/sender/link.ts';
import type { Sender } from '../domain/sender/sender.ts';
import type { LinkStatistics, UplinkStatistics } from './uplink-contract.ts';

const NEVER_MS = -1;

/** A sender's state and counters as plain data. */
export function uplinkStatistics(sender: Sender, nowUs: number): UplinkStatistics {
  const { counters, encoder } = sender;
  return {
    mode: sender.mode,
    registered: sender.isRegistered,
    encoder: encoder.isUp
      ? { address: plainAddress(encoder.address), heardAgoMs: agoMs(encoder.heardUs, nowUs) }
      : null,
    latencyMs: encoder.latencyMs,
    packets: counters.packets,
    bytes: counters.bytes,
    retransmitted: counters.retransmitted,
    resent: counters.resent,
    expired: counters.expired,
    duplicates: counters.duplicates,
    dropped: counters.noLink,
    strangers: encoder.strangers,
    malformed: counters.malformed,
    unexpected: counters.unexpected,
    refusals: counters.refusals,
    answers: counters.answers,
    answerCopies: counters.answerCopies,
    answersOfOthers: counters.answersOfOthers,
    links: sender.links.map((link) => linkStatistics(link, sender.inFlight(link), nowUs)),
  };
}

function linkStatistics(link: SenderLink, inFlightPackets: number, nowUs: number): LinkStatistics {
  const { meter, rtt, rate } = link;
  return {
    link: link.index,
    state: link.state,
    hasPath: link.hasPath,
    suspect: link.suspect,
    weak: link.weak,
    capReached: link.capReached,
    rttMs: rtt.valueMs,
    window: link.window,
    inFlightPackets,
    packets: meter.packets,
    bytes: meter.bytes,
    receivedBytes: meter.receivedBytes,
    naks: meter.naks,
    bitrateBps: meter.bitrateBps,
    estimateBps: rate.bps,
    heardAgoMs: agoMs(link.heardUs, nowUs),
    failedSends: link.failedSends,
    strangers: link.strangers,
    stranger: link.strangers === 0 ? null : plainAddress(link.stranger),
  };
}

function agoMs(thenUs: number, nowUs: number): number {
  return thenUs === -Infinity ? NEVER_MS : (nowUs - thenUs) / 1000;
}
