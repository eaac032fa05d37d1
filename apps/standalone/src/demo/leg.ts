import { join } from 'node:path';
import { ChannelView } from '@mediaplane/proto';
import type { Channel, ChannelStatistics, RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { inWords } from '../errors-in-words.ts';
import type { LegFacts, RecordingFacts } from '../report/facts.ts';
import { failedRecording, examineRecording } from './recording-facts.ts';
import type { ExpectedTrack } from './recording-facts.ts';
import { quantile, wayTimesMs } from './measured-phone.ts';
import type { MeasuredPhone } from './measured-phone.ts';

const SETTLE_MS = 500;
const LOOK_MS = 20;

/** A phone and the channel it talks to. */
export class Leg {
  readonly name: 'A' | 'B';
  readonly device: MeasuredPhone;
  readonly channelId: string;
  digitsSent = '';
  private readonly client: ServiceClient<RtpChannelServiceDefinition>;
  private readonly channel: Channel;
  /** Id of the recording, or why there is none. */
  private recording: { readonly id: string; readonly file: string } | { readonly problem: string } | undefined;

  constructor(
    name: 'A' | 'B',
    device: MeasuredPhone,
    channel: Channel,
    client: ServiceClient<RtpChannelServiceDefinition>,
  ) {
    this.name = name;
    this.device = device;
    this.channel = channel;
    this.channelId = channel.channelId;
    this.client = client;
  }

  /** `127.0.0.1:12034` */
  get mediaAddress(): string {
    return `${this.channel.local?.address}:${this.channel.local?.rtpPort}`;
  }

  /** The phone begins to send to its channel. */
  pickUp(): void {
    const { local } = this.channel;
    if (local === undefined) throw new Error(`channel ${this.channelId} came without a local address`);
    this.device.start({ address: local.address, port: local.rtpPort, rtcpPort: local.rtcpPort });
  }

  /** A recording that cannot be started does not stop the call: the report says why. */
  async startRecording(file: string): Promise<void> {
    try {
      const { recording } = await this.client.startRecording({ channelId: this.channelId, file });
      this.recording = { id: recording?.recordingId ?? '', file };
    } catch (error) {
      this.recording = { problem: inWords(error) };
    }
  }

  async stopRecording(): Promise<void> {
    if (this.recording === undefined || 'problem' in this.recording) return;
    try {
      await this.client.stopRecording({ channelId: this.channelId, recordingId: this.recording.id });
    } catch (error) {
      this.recording = { problem: inWords(error) };
    }
  }

  async examineRecording(folder: string, expected: readonly ExpectedTrack[]): Promise<RecordingFacts> {
    if (this.recording === undefined) return failedRecording(this.name, 'it was never started');
    if ('problem' in this.recording) return failedRecording(this.name, this.recording.problem);
    return examineRecording(this.name, join(folder, this.recording.file), expected);
  }

  /** Says digits on the phone. Resolves when they are sent. */
  async dial(digits: string): Promise<void> {
    this.digitsSent += digits;
    await this.device.phone.sendDigits(digits);
  }

  /** Until the channel has counted all that the silent phone sent, or a moment has passed: what is lost stays lost. */
  async settle(): Promise<void> {
    for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += LOOK_MS) {
      const { channel } = await this.client.getChannel({ channelId: this.channelId, view: ChannelView.STATS });
      if ((channel?.statistics?.received?.packets ?? 0) >= this.device.packetsSent) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async close(): Promise<ChannelStatistics> {
    const { record } = await this.client.closeChannel({ channelId: this.channelId, reasonText: 'the call is over' });
    if (record?.statistics === undefined) throw new Error(`channel ${this.channelId} closed without statistics`);
    return record.statistics;
  }

  facts(statistics: ChannelStatistics, other: Leg, digitsReported: string): LegFacts {
    const { phone } = this.device;
    const streams = phone.timeline.statistics;
    const times = wayTimesMs(other.device.sent, phone.timeline.packets);
    const { received, sent, rtcp } = statistics;
    return {
      phone: this.name,
      channelId: this.channelId,
      phoneSent: this.device.packetsSent,
      channelReceived: received?.packets ?? 0,
      channelSent: sent?.packets ?? 0,
      phoneHeard: streams.reduce((sum, { packets }) => sum + packets, 0),
      lostIn: received?.lostPackets ?? 0,
      lostOut: streams.reduce((sum, { lost }) => sum + lost, 0),
      jitterInMs: received?.jitterMs ?? 0,
      jitterOutMs: Math.max(0, ...streams.map(({ jitterMs }) => jitterMs)),
      latency: { count: times.length, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) },
      phoneLateMs: this.device.maxLateMs,
      mos: received?.mos,
      channelRoundTripMs: rtcp?.roundTripMs,
      phoneRoundTripMs: phone.rtcp.roundTripMs ?? undefined,
      digitsSent: this.digitsSent,
      digitsHeard: phone.heardDigits,
      digitsReported,
    };
  }
}
