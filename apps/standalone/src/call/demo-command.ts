import { RtpPhone } from '@mediaplane/testkit';
import { MeasuredPhone, quantile, wayTimesMs } from '../demo/measured-phone.ts';
import { likeness, readSpeech } from '../demo/speech.ts';
import { Progress } from '../progress.ts';
import { milliseconds, score } from '../report/numbers.ts';
import { fields } from '../report/table.ts';
import type { Command } from './command.ts';

const DTMF_PAYLOAD_TYPE = 101;
const RTCP_INTERVAL_MS = 500;
const SAMPLES_PER_MS = 8;
/** For the last echoes. */
const SETTLE_MS = 100;
/** Below this, what came back is not what was said. */
const SAME_SPEECH = 0.9;

/** Opens an echoing channel and talks to it: needs nothing but the service, on this machine or one that reaches us by UDP. */
export const demoCommand = {
  summary: 'Talks to an echoing channel with a phone for some seconds, and tells loss and latency.',
  positionals: [],
  options: { bind: { kind: 'text', value: '<address>', help: 'address of the phone (default 127.0.0.1)' } },
  async run({ client, args, print, signal, progressOut }) {
    const speech = await readSpeech('speech-a');
    await using phone = await MeasuredPhone.open({
      address: args.text('bind') ?? '127.0.0.1',
      seed: Date.now() >>> 0,
      dtmfPayloadType: DTMF_PAYLOAD_TYPE,
      rtcpIntervalMs: RTCP_INTERVAL_MS,
    });
    const { address, port: rtpPort, rtcpPort } = phone.phone;
    const { channel } = await client.openChannel({ settings: { remote: { address, rtpPort, rtcpPort }, echo: true } });
    const { channelId = '', local } = channel ?? {};
    if (local === undefined) throw new Error('the channel came without a local address');
    const interrupted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => interrupted.resolve(), { once: true });
    const fromUs = RtpPhone.nowUs();
    {
      using progress = new Progress(progressOut, speech.length / SAMPLES_PER_MS);
      progress.step(`phone ${address}:${rtpPort} talks to ${channelId} at ${local.address}:${local.rtpPort}`);
      phone.start({ address: local.address, port: local.rtpPort, rtcpPort: local.rtcpPort });
      await Promise.race([phone.phone.play(speech), interrupted.promise]);
      phone.stop();
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    }
    const { record } = await client.closeChannel({ channelId, reasonText: 'demo over' });
    const times = wayTimesMs(phone.sent, phone.phone.timeline.packets);
    const heard = phone.phone.timeline.packets.length;
    const lost = phone.packetsSent - heard;
    const result = {
      channelId,
      packetsSent: phone.packetsSent,
      packetsHeard: heard,
      packetsLost: lost,
      latencyMs: {
        count: times.length,
        p50: quantile(times, 0.5),
        p99: quantile(times, 0.99),
        max: quantile(times, 1),
      },
      sameSpeech: likeness(speech, phone.phone.heard(fromUs)),
      roundTripMs: record?.statistics?.rtcp?.roundTripMs,
      mos: record?.statistics?.received?.mos,
    };
    print(
      fields([
        ['sent', `${result.packetsSent} packets`],
        ['came back', `${heard} packets, ${lost} lost`],
        [
          'latency',
          `p50 ${milliseconds(result.latencyMs.p50)}, p99 ${milliseconds(result.latencyMs.p99)}, there and back`,
        ],
        ['round trip', `${milliseconds(result.roundTripMs)} (RTCP)`],
        ['MOS', score(result.mos)],
        ['speech', `${(result.sameSpeech * 100).toFixed(1)} % of what was said came back`],
      ]),
      result,
    );
    return signal.aborted || (lost === 0 && result.sameSpeech >= SAME_SPEECH);
  },
} satisfies Command;
