import { estimateMos, NO_ROUND_TRIP } from '@mediaplane/rtp';
import { SAMPLE_RATE_HZ, type MediaStatistics } from './contract.ts';
import type { ChannelSession } from './channel-session.ts';
import { NEVER } from './tally.ts';

const MS_PER_UNIT = 1000 / SAMPLE_RATE_HZ;
export const NOT_YET = -1;

/** A channel's counters, as the control side is told them. */
export function mediaStatistics(channel: ChannelSession, nowUs: number): MediaStatistics {
  const { tools, received, latch, tally } = channel;
  const outbound = channel.outbound.stream;
  const { sendErrors } = channel.outbound;
  const rtcp = channel.rtcp.session;
  const unixMs = (us: number): number => (us === NEVER ? NOT_YET : tools.unixMs(us));
  const lost = Math.max(received.totalLost, 0);
  const roundTripMs = rtcp.roundTripUs === NO_ROUND_TRIP ? null : rtcp.roundTripUs / 1000;
  const lossRatio = received.totalExpected > 0 ? lost / received.totalExpected : 0;
  const remoteLossRatio = rtcp.remoteLossRatio;
  const remoteJitterMs = rtcp.remoteJitter * MS_PER_UNIT;
  return {
    received: {
      packets: received.packets,
      bytes: received.octets,
      lost,
      expected: received.totalExpected,
      reordered: received.reordered,
      duplicates: received.duplicates,
      late: channel.taps.reduce((sum, tap) => sum + tap.state.late, tally.latePackets),
      jitterMs: received.jitterMs,
      maxJitterMs: received.maxJitterMs,
      ssrc: received.valid ? received.ssrc >>> 0 : 0,
      ssrcChanges: received.ssrcChanges,
      payloadType: tally.lastPayloadType,
      firstPacketUnixMs: unixMs(tally.firstReceivedUs),
      lastPacketUnixMs: unixMs(received.lastArrivalUs(nowUs)),
      droppedSource: latch.dropped,
      droppedMalformed: tally.malformed,
      droppedPayloadType: tally.unknownPayloadType,
      droppedDirection: tally.againstDirection,
      mos: received.packets === 0 ? null : estimateMos(lossRatio, received.jitterMs, roundTripMs ?? 0),
    },
    sent: {
      packets: outbound.packetsSent - sendErrors,
      bytes: outbound.octetsSent,
      errors: sendErrors,
      firstPacketUnixMs: unixMs(tally.firstSentUs),
      lastPacketUnixMs: unixMs(outbound.lastSentUs(nowUs)),
      remote:
        rtcp.remoteReports > 0
          ? {
              lost: rtcp.remoteCumulativeLost,
              lostRatio: remoteLossRatio,
              jitterMs: remoteJitterMs,
              mos: estimateMos(remoteLossRatio, remoteJitterMs, roundTripMs ?? 0),
            }
          : null,
    },
    rtcp: {
      received: rtcp.received,
      sent: rtcp.sent,
      malformed: rtcp.malformed,
      droppedSource: channel.rtcp.latch.dropped,
      roundTripMs,
    },
    dtmfReceived: channel.digits.received,
    dtmfSent: channel.digits.sent,
    sampleUnixMs: tools.unixMs(nowUs),
  };
}
