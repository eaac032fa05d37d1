import { readFile } from 'node:fs/promises';
import type { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { RtpPhone, speechSamplePath } from '@mediaplane/testkit';
import type { Progress } from '../progress.ts';
import type { CallFacts } from '../report/facts.ts';
import { seconds } from '../report/numbers.ts';
import { CallWatch } from './call-watch.ts';
import { Leg } from './leg.ts';
import { MeasuredPhone } from './measured-phone.ts';
import { likeness, readSpeech } from './speech.ts';

const DTMF_PAYLOAD_TYPE = 101;
/** Often enough that both ends know the round trip before the call is over. */
const RTCP_INTERVAL_MS = 500;
/** The prompt's first sentence. */
const PROMPT_MS = 1450;
const SAMPLES_PER_MS = 8;
const DIGITS_OF_A = '15#';
const DIGITS_OF_B = '42*';
const EVENT_TIMEOUT_MS = 5000;

export interface DemoCallOptions {
  readonly client: ServiceClient<RtpChannelServiceDefinition>;
  readonly recordingsFolder: string;
  /** Labels of the call's channels, and the name of its folder of recordings. */
  readonly callId: string;
  readonly progress: Progress;
}

/**
 * A real call: two phones with sockets of their own in two bridged channels. Rejects when the service refuses something that
 * the call cannot do without; everything else that goes wrong shows in the facts.
 */
export async function placeCall(options: DemoCallOptions): Promise<CallFacts> {
  const { client, callId, progress } = options;
  const startedMs = performance.now();
  const filter = `labels.call = "${callId}"`;
  const [speechA, speechB, prompt] = await Promise.all([
    readSpeech('speech-a'),
    readSpeech('speech-b'),
    readSpeech('prompt'),
  ]);
  await using cleanUp = new AsyncDisposableStack();
  const watch = cleanUp.use(await CallWatch.open(client, filter));
  const phoneA = cleanUp.use(await openPhone(1));
  const phoneB = cleanUp.use(await openPhone(2));
  // Closes what is left when the call breaks off; in good order there is nothing left.
  cleanUp.defer(async () => void (await client.batchCloseChannels({ filter, reasonText: 'the call broke off' })));

  // B's address is not known before B answers; a channel without one sends no reports.
  const { channels } = await client.batchOpenChannels({
    requests: [
      { settings: { remote: endpointOf(phoneA), labels: { call: callId, leg: 'a' } } },
      { settings: { labels: { call: callId, leg: 'b' } } },
    ],
  });
  const a = new Leg('A', phoneA, channels[0], client);
  const b = new Leg('B', phoneB, channels[1], client);
  const legs = [a, b];
  progress.step(`two channels are open: ${a.mediaAddress} for phone A, ${b.mediaAddress} for phone B`);
  for (const leg of legs) await leg.startRecording(`${callId}/leg-${leg.name.toLowerCase()}.wav`);
  a.pickUp();

  progress.step('both legs are recorded; a prompt plays to phone A');
  const promptFromUs = RtpPhone.nowUs();
  await client.startPlayback({
    channelId: a.channelId,
    items: [
      { source: { source: { $case: 'inline', value: await readFile(speechSamplePath('prompt')) } }, stopMs: PROMPT_MS },
    ],
  });
  await watch.waitFor(a.channelId, 'playback_finished', { timeoutMs: PROMPT_MS + EVENT_TIMEOUT_MS });
  const promptHeard = phoneA.phone.heard(promptFromUs);

  await client.updateChannel({
    channelId: b.channelId,
    settings: { remote: endpointOf(phoneB) },
    updateMask: ['remote'],
  });
  b.pickUp();
  await client.bridgeChannels({ channelId: a.channelId, peerChannelId: b.channelId });
  const talkMs = Math.max(speechA.length, speechB.length) / SAMPLES_PER_MS;
  progress.step(`B answers; bridged, A and B talk for ${seconds(talkMs)}`);
  const speechFromUs = RtpPhone.nowUs();
  await Promise.all([phoneA.phone.play(speechA), phoneB.phone.play(speechB)]);

  progress.step(`A dials ${DIGITS_OF_A}, B dials ${DIGITS_OF_B}`);
  await Promise.all([a.dial(DIGITS_OF_A), b.dial(DIGITS_OF_B)]);
  await Promise.all([hasHeard(phoneB, DIGITS_OF_A), hasHeard(phoneA, DIGITS_OF_B)]);
  for (const leg of legs) leg.device.stop();
  await Promise.all(legs.map((leg) => leg.settle()));
  for (const leg of legs) await leg.stopRecording();
  const [statisticsA, statisticsB] = await Promise.all(legs.map((leg) => leg.close()));
  await Promise.all(legs.map((leg) => watch.waitFor(leg.channelId, 'closed', { timeoutMs: EVENT_TIMEOUT_MS })));
  const durationMs = performance.now() - startedMs;
  progress.step('hung up');

  return {
    durationMs,
    legs: [a.facts(statisticsA, b, watch.digitsOf(a.channelId)), b.facts(statisticsB, a, watch.digitsOf(b.channelId))],
    hearing: {
      promptByA: likeness(prompt.subarray(0, PROMPT_MS * SAMPLES_PER_MS), promptHeard),
      aByB: likeness(speechA, phoneB.phone.heard(speechFromUs)),
      bByA: likeness(speechB, phoneA.phone.heard(speechFromUs)),
    },
    recordings: await Promise.all([
      a.examineRecording(options.recordingsFolder, [
        { label: 'what phone A said', said: speechA },
        { label: 'what it was sent', said: speechB },
      ]),
      b.examineRecording(options.recordingsFolder, [
        { label: 'what phone B said', said: speechB },
        { label: 'what it was sent', said: speechA },
      ]),
    ]),
    events: watch.facts(),
  };
}

function openPhone(seed: number): Promise<MeasuredPhone> {
  return MeasuredPhone.open({ seed, dtmfPayloadType: DTMF_PAYLOAD_TYPE, rtcpIntervalMs: RTCP_INTERVAL_MS });
}

function endpointOf({ phone }: MeasuredPhone): { address: string; rtpPort: number; rtcpPort: number } {
  return { address: phone.address, rtpPort: phone.port, rtcpPort: phone.rtcpPort };
}

/** What did not come shows in the report, with what came instead. */
async function hasHeard({ phone }: MeasuredPhone, digits: string): Promise<void> {
  await phone.waitForDigits(digits, { timeoutMs: 2000 }).catch(() => undefined);
}
