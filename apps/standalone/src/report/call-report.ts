import type { Check } from './checks.ts';
import { renderCapacity } from './capacity.ts';
import type { CallFacts, CapacityFacts, LegFacts, RecordingFacts } from './facts.ts';
import { decibels, kilobytes, milliseconds, score, seconds, text } from './numbers.ts';
import { fields, table } from './table.ts';

/** The report of the demonstration call, as lines. */
export function renderCall(facts: CallFacts, checks: readonly Check[], capacity: CapacityFacts): string[] {
  return [
    `The call, ${seconds(facts.durationMs)}`,
    '',
    ...legTable(facts.legs),
    '',
    ...renderChecks(checks),
    '',
    'Recordings',
    '',
    ...facts.recordings.flatMap(renderRecording),
    '',
    'Events',
    '',
    ...wrapped(facts.events.seen.map(([name, times]) => (times === 1 ? name : `${name} ×${times}`))),
    '',
    'Capacity',
    '',
    ...renderCapacity(capacity),
  ];
}

export function renderChecks(checks: readonly Check[]): string[] {
  return checks.map(({ ok, line }) => `  ${ok ? '✓' : '✗'} ${line}`);
}

/** One column for each leg, seen from its phone. */
export function legTable(legs: readonly LegFacts[]): string[] {
  const row = (name: string, cell: (leg: LegFacts) => string): string[] => [name, ...legs.map(cell)];
  const rows = [
    row('', ({ phone }) => `phone ${phone}`),
    row('packets it sent', (leg) => String(leg.phoneSent)),
    row('  its channel received', (leg) => String(leg.channelReceived)),
    row('  lost', (leg) => String(leg.lostIn)),
    row('  jitter', (leg) => milliseconds(leg.jitterInMs)),
    row('packets its channel sent', (leg) => String(leg.channelSent)),
    row('  it received', (leg) => String(leg.phoneHeard)),
    row('  lost', (leg) => String(leg.lostOut)),
    row('  jitter', (leg) => milliseconds(leg.jitterOutMs)),
    row('added latency, p50', ({ latency }) => milliseconds(latency.count === 0 ? undefined : latency.p50Ms)),
    row('added latency, p99', ({ latency }) => milliseconds(latency.count === 0 ? undefined : latency.p99Ms)),
    row('the phone itself was late by', (leg) => milliseconds(leg.phoneLateMs)),
    row('MOS', (leg) => score(leg.mos)),
    row('round trip (RTCP)', (leg) => milliseconds(leg.channelRoundTripMs)),
    row('digits sent', (leg) => text(leg.digitsSent)),
    row('digits heard', (leg) => text(leg.digitsHeard)),
  ];
  return table(rows, 'right');
}

export function renderRecording(recording: RecordingFacts): string[] {
  if (recording.problem !== undefined) return [`  leg ${recording.phone}: ${recording.problem}`];
  const { path, durationMs, sampleRateHz, bytes } = recording;
  const head = `  ${path}   ${seconds(durationMs)}, ${sampleRateHz / 1000} kHz, ${kilobytes(bytes)}`;
  const tracks = recording.tracks.map((track, i): [string, string] => [
    `${'LR'[i] ?? i}  ${track.label}`,
    `${track.plot}  ${decibels(track.rmsDbfs)} (peak ${decibels(track.peakDbfs)})`,
  ]);
  return [head, ...fields(tracks, 4)];
}

/** Words with commas, in lines of at most 100 characters. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 2 > 98) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last}, ${word}`;
  }
  return lines;
}
