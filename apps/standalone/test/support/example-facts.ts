import type { CallFacts, LegFacts, RecordingFacts, TrackFacts } from '../../src/report/facts.ts';

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
