import type { BondingFacts, CallFacts, LegFacts, RecordingFacts, TrackFacts } from '../../src/report/facts.ts';

/** A call in which everything went well, to change one thing of. */
export function goodCall(): CallFacts {
  return {
    durationMs: 7600,
    legs: [goodLeg('A'), goodLeg('B', { digitsSent: '42*', digitsHeard: '15#', digitsReported: '42*' })],
    hearing: { promptByA: 1, aByB: 0.998, bByA: 0.999 },
    recordings: [goodRecording('A'), goodRecording('B')],
    events: {
      seen: [
        ['opened', 2],
        ['bridged', 2],
        ['playback_finished', 1],
        ['dtmf_received', 6],
        ['closed', 2],
      ],
      missing: 0,
    },
  };
}

export function goodLeg(phone: 'A' | 'B', change: Partial<LegFacts> = {}): LegFacts {
  return {
    phone,
    channelId: `ch_instance_${phone}`,
    phoneSent: 350,
    channelReceived: 350,
    channelSent: 350,
    phoneHeard: 350,
    lostIn: 0,
    lostOut: 0,
    jitterInMs: 0.125,
    jitterOutMs: 0.2,
    latency: { count: 250, p50Ms: 0.25, p99Ms: 1.5 },
    phoneLateMs: 0.75,
    mos: 4.41,
    channelRoundTripMs: 0.5,
    phoneRoundTripMs: 0.6,
    digitsSent: '15#',
    digitsHeard: '42*',
    digitsReported: '15#',
    ...change,
  };
}

export function goodRecording(phone: 'A' | 'B', left: Partial<TrackFacts> = {}): RecordingFacts {
  const track = (label: string): TrackFacts => ({ label, rmsDbfs: -25, peakDbfs: -6.02, plot: ' ▃█▃ ', speech: 0.99 });
  return {
    phone,
    path: `recordings/call/leg-${phone}.wav`,
    bytes: 240_044,
    durationMs: 7500,
    sampleRateHz: 8000,
    tracks: [{ ...track('left'), ...left }, track('right')],
    problem: undefined,
  };
}

/** A stream that came through the death of its first link, to change one thing of. */
export function goodBonding(): BondingFacts {
  const link = { packetsBefore: 900, rttMs: 0.4 };
  return {
    durationMs: 7100,
    srtLatencyMs: 500,
    packetsPerSecond: 600,
    sent: 3900,
    played: 3900,
    tooLate: 0,
    continuityErrors: 0,
    latency: { count: 3900, p50Ms: 0.3, p99Ms: 4 },
    links: [
      { ...link, name: 'modem-1', address: '127.0.0.2', packetsAfter: 21, state: 'suspect' },
      { ...link, name: 'modem-2', address: '127.0.0.3', packetsAfter: 2100, state: 'up' },
    ],
    givenToDead: 20,
    lastToDeadMs: 66,
    failoverMs: 70,
    resentByFailover: 8,
    resentBySrt: 12,
    duplicates: 1,
    cpuMicrosPerPacket: 30,
  };
}
