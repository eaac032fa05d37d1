import type { ChannelStatistics, RtpReceiveStatistics, RtpSendStatistics } from '@mediaplane/proto';
import type { MediaStatistics } from '../media/contract.ts';

/** The media thread's counters as the API shows them. `kernelDrops`: -1 where the system cannot tell. */
export function channelStatistics(media: MediaStatistics, kernelDrops: number): ChannelStatistics {
  const { rtcp } = media;
  return {
    received: receiveStatistics(media.received, kernelDrops),
    sent: sendStatistics(media.sent),
    rtcp: {
      receivedPackets: rtcp.received,
      sentPackets: rtcp.sent,
      malformedPackets: rtcp.malformed,
      droppedSource: rtcp.droppedSource,
      roundTripMs: rtcp.roundTripMs ?? undefined,
    },
    dtmfReceived: media.dtmfReceived,
    dtmfSent: media.dtmfSent,
    sampleTime: new Date(media.sampleUnixMs),
  };
}

function receiveStatistics(received: MediaStatistics['received'], kernelDrops: number): RtpReceiveStatistics {
  const { expected, lost } = received;
  return {
    packets: received.packets,
    bytes: received.bytes,
    lostPackets: lost,
    lostRatio: expected > 0 ? lost / expected : 0,
    reorderedPackets: received.reordered,
    duplicatePackets: received.duplicates,
    latePackets: received.late,
    jitterMs: received.jitterMs,
    maxJitterMs: received.maxJitterMs,
    ssrc: received.ssrc >>> 0,
    ssrcChanges: received.ssrcChanges,
    payloadType: Math.max(received.payloadType, 0),
    firstPacketTime: moment(received.firstPacketUnixMs),
    lastPacketTime: moment(received.lastPacketUnixMs),
    dropped: {
      source: received.droppedSource,
      malformed: received.droppedMalformed,
      payloadType: received.droppedPayloadType,
      direction: received.droppedDirection,
      kernel: kernelDrops,
    },
    mos: received.mos ?? undefined,
  };
}

function sendStatistics(sent: MediaStatistics['sent']): RtpSendStatistics {
  const { remote } = sent;
  return {
    packets: sent.packets,
    bytes: sent.bytes,
    sendErrors: sent.errors,
    firstPacketTime: moment(sent.firstPacketUnixMs),
    lastPacketTime: moment(sent.lastPacketUnixMs),
    remoteLostPackets: remote?.lost,
    remoteLostRatio: remote?.lostRatio,
    remoteJitterMs: remote?.jitterMs,
    remoteMos: remote?.mos,
  };
}

/** -1: it has not happened. */
function moment(unixMs: number): Date | undefined {
  return unixMs < 0 ? undefined : new Date(unixMs);
}
