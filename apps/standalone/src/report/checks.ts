import { decibels } from './numbers.ts';
import type { CallFacts, LegFacts, RecordingFacts } from './facts.ts';

export interface Check {
  readonly ok: boolean;
  /** What was looked at and what was found, one line. */
  readonly line: string;
}

/** Above this, it is the same speech: G.711 alone keeps more than 0.99. */
const SAME_SPEECH = 0.9;
/** Below this a recording track holds no speech. */
const SPEECH_DBFS = -40;
/** Packets whose way must have been followed for a latency to mean something. */
const MIN_FOLLOWED = 50;
/** A relay that holds packets for a frame or longer is not a relay. Far above a good value: other programs share the machine. */
const MAX_P50_MS = 20;
const MIN_MOS = 4;
/** Events without which a call of two bridged channels has not happened. */
const EXPECTED_EVENTS = ['opened', 'bridged', 'playback_finished', 'dtmf_received', 'closed'];

/** Everything that must hold for the call to have gone well. */
export function judgeCall(facts: CallFacts): Check[] {
  const [a, b] = facts.legs;
  const { hearing, events } = facts;
  const seen = new Set(events.seen.map(([name]) => name));
  const absent = EXPECTED_EVENTS.filter((name) => !seen.has(name));
  return [
    heard('phone A heard the prompt', hearing.promptByA),
    heard('phone B heard what A said', hearing.aByB),
    heard('phone A heard what B said', hearing.bByA),
    digits(a, b),
    digits(b, a),
    lossCheck(facts.legs),
    check(
      facts.legs.every(({ latency }) => latency.count >= MIN_FOLLOWED && latency.p50Ms <= MAX_P50_MS),
      `audio was passed on at once: half of it within ${facts.legs.map(({ latency }) => latency.p50Ms.toFixed(2)).join(' and ')} ms`,
    ),
    check(
      facts.legs.every(({ mos }) => mos !== undefined && mos >= MIN_MOS),
      `both legs sound as G.711 can (MOS at least ${MIN_MOS})`,
    ),
    check(
      facts.legs.every((leg) => leg.channelRoundTripMs !== undefined && leg.phoneRoundTripMs !== undefined),
      'RTCP went both ways on both legs, so round trips are known',
    ),
    ...facts.recordings.map(recordingCheck),
    check(
      absent.length === 0 && events.missing === 0,
      absent.length > 0
        ? `events did not come: ${absent.join(', ')}`
        : events.missing > 0
          ? `${events.missing} events are missing in the numbering of their channels`
          : 'every event came, in order and without a gap',
    ),
  ];
}

function check(ok: boolean, line: string): Check {
  return { ok, line };
}

function heard(what: string, coefficient: number): Check {
  return check(coefficient >= SAME_SPEECH, `${what} (${(coefficient * 100).toFixed(1)} % the same wave form)`);
}

function digits(from: LegFacts, to: LegFacts): Check {
  const ok = from.digitsSent === to.digitsHeard && from.digitsSent === from.digitsReported;
  const found = ok
    ? ''
    : `: phone ${to.phone} heard "${to.digitsHeard}", the channel reported "${from.digitsReported}"`;
  return check(ok, `digits ${from.digitsSent} of phone ${from.phone} reached phone ${to.phone}${found}`);
}

function lossCheck(legs: readonly LegFacts[]): Check {
  const packets = legs.reduce((sum, leg) => sum + leg.phoneSent + leg.channelSent, 0);
  const arrived = legs.reduce((sum, leg) => sum + leg.channelReceived + leg.phoneHeard, 0);
  const lost = legs.reduce((sum, leg) => sum + leg.lostIn + leg.lostOut, 0);
  // Packets that are lost at an end of a stream leave no gap in its numbering: only the counts tell.
  const missing = Math.max(lost, packets - arrived);
  return check(missing === 0, `${missing} of ${packets} packets lost`);
}

function recordingCheck(recording: RecordingFacts): Check {
  const name = `recording of leg ${recording.phone}`;
  if (recording.problem !== undefined) return check(false, `${name}: ${recording.problem}`);
  for (const track of recording.tracks) {
    if (track.rmsDbfs < SPEECH_DBFS) {
      return check(false, `${name}: the track "${track.label}" is as good as silent, ${decibels(track.rmsDbfs)}`);
    }
    if (track.speech < SAME_SPEECH) {
      const share = (track.speech * 100).toFixed(1);
      return check(false, `${name}: the track "${track.label}" is only ${share} % what was said`);
    }
  }
  return check(true, `${name} is a sound WAV that holds what was said, left and right`);
}
