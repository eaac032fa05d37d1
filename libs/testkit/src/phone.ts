import type { G711Codec } from '@mediaplane/audio';
import type { RemoteInfo } from 'node:dgram';
import type { Impairment } from './impairment.ts';
import { Impairer } from './impairment.ts';
import { Pacer } from './pacer.ts';
import { readPayloadStamp, STAMP_BYTES, stampPayload } from './payload-stamp.ts';
import type { PhoneRemote, RtpPhoneOptions } from './phone-options.ts';
import type { ReceivedRtcp } from './phone-rtcp.ts';
import { PhoneRtcp } from './phone-rtcp.ts';
import type { Transport } from './phone-sockets.ts';
import { PhoneSockets } from './phone-sockets.ts';
import type { RtcpPacket } from './rtcp-packet.ts';
import { readRtcp } from './rtcp-packet.ts';
import type { RtpPacket } from './rtp-packet.ts';
import { readRtp, writeRtp } from './rtp-packet.ts';
import { RtpTimeline } from './rtp-timeline.ts';
import type { DigitOptions } from './rtp-voice.ts';
import { RtpVoice } from './rtp-voice.ts';
import { SeededRandom } from './seeded-random.ts';
import type { WaitOptions } from './wait-list.ts';
import { WaitList } from './wait-list.ts';

/** Where the SSRC lies in an RTP packet (RFC 3550 5.1). */
const SSRC_OFFSET = 8;

/** A telephone's media side on two sockets of its own: speaks, listens, remembers everything, and can behave badly. */
export class RtpPhone implements AsyncDisposable {
  readonly timeline: RtpTimeline;
  readonly rtcp: PhoneRtcp;
  readonly voice: RtpVoice;
  /** Clock time at which the phone began to listen. */
  readonly openedUs = RtpPhone.nowUs();
  private readonly options: RtpPhoneOptions;
  private readonly impairer: Impairer;
  private readonly waits = new WaitList(() => this.describe());
  private sockets: PhoneSockets | null = null;
  private remote: PhoneRemote | null = null;
  private pacer: Pacer | null = null;
  private reports: NodeJS.Timeout | null = null;

  private constructor(options: RtpPhoneOptions) {
    const { codec = 'PCMU', ptimeMs = 20, dtmfPayloadType = 101, seed = 1 } = options;
    const payloadType = options.payloadType ?? (codec === 'PCMU' ? 0 : 8);
    const random = new SeededRandom(seed);
    const ssrc = options.ssrc ?? random.uint32();
    const sequenceNumber = options.sequenceNumber ?? random.uint32() & 0xffff;
    const timestamp = options.timestamp ?? random.uint32();
    this.options = options;
    this.impairer = new Impairer(options.impairment ?? {}, random.uint32());
    this.voice = new RtpVoice({ codec, payloadType, dtmfPayloadType, ptimeMs, ssrc, sequenceNumber, timestamp });
    const codecs = new Map<number, G711Codec>([
      [0, 'PCMU'],
      [8, 'PCMA'],
      [payloadType, codec],
    ]);
    this.timeline = new RtpTimeline(codecs, dtmfPayloadType);
    this.rtcp = new PhoneRtcp(options.cname ?? `phone-${ssrc.toString(16)}@testkit`);
  }

  static async open(options: RtpPhoneOptions = {}): Promise<RtpPhone> {
    const phone = new RtpPhone(options);
    phone.sockets = await PhoneSockets.open(options.address ?? '127.0.0.1', (transport, bytes, from) =>
      phone.receive(transport, bytes, from),
    );
    return phone;
  }

  /** The phone's clock: monotonic microseconds, the same in all processes of a machine. */
  static nowUs(): number {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000_000 + nanoseconds / 1000;
  }

  get address(): string {
    return this.bound().address;
  }

  get port(): number {
    return this.bound().port('rtp');
  }

  get rtcpPort(): number {
    return this.bound().port('rtcp');
  }

  get ssrc(): number {
    return this.voice.ssrc;
  }

  /** How late it sent at worst; see `Pacer`. */
  get maxSendLateMs(): number {
    return (this.pacer?.maxLateUs ?? 0) / 1000;
  }

  /** Where it sends to from now on. An echoing phone begins to echo. */
  call({ address, port, rtcpPort = port + 1 }: PhoneRemote): void {
    this.remote = { address, port, rtcpPort };
    const { rtcpIntervalMs = 0 } = this.options;
    if (rtcpIntervalMs > 0) this.reports ??= setInterval(() => this.sendReport(), rtcpIntervalMs);
  }

  /** Begins to speak: a packet every `ptimeMs`, silence where nothing is to be said. */
  start(): void {
    const { ptimeMs = 20 } = this.options;
    this.pacer ??= new Pacer(ptimeMs * 1000, RtpPhone.nowUs, () => this.tick());
  }

  /** Says samples of 8 kHz. Resolves when they are sent. */
  play(samples: Int16Array, loop = false): Promise<void> {
    return this.voice.play(samples, loop);
  }

  /** Resolves when the digits are sent. @throws RangeError */
  sendDigits(digits: string, options?: DigitOptions): Promise<void> {
    return this.voice.sendDigits(digits, options);
  }

  /** Stops and resumes sending as silence suppression or hold does; it still hears. */
  mute(isMuted: boolean): void {
    this.voice.isMuted = isMuted;
  }

  impair(impairment: Impairment): void {
    this.impairer.impairment = impairment;
  }

  /** What was lost, duplicated and reordered on purpose so far. */
  get impaired(): { readonly lost: number; readonly duplicated: number; readonly reordered: number } {
    return this.impairer;
  }

  /** Goes on under another SSRC, as after a transfer behind the same port. */
  changeSsrc(ssrc: number): void {
    this.voice.ssrc = ssrc;
  }

  /** Any bytes, unimpaired, to the remote or elsewhere: what no decent phone sends. */
  sendRaw(bytes: Uint8Array, transport: Transport = 'rtp', to = this.remote): void {
    if (to === null) throw new Error('the phone has nobody to send to: call(remote) first');
    const port = transport === 'rtp' ? to.port : (to.rtcpPort ?? to.port + 1);
    this.bound().send(transport, bytes, port, to.address);
  }

  /** One packet in the voice's sequence now, beside those that are paced; parts of it as given. */
  sendRtp(packet: Partial<RtpPacket> = {}): void {
    const { payloadType = 0, marker = false, timestamp = this.voice.timestamp, payload = new Uint8Array(160) } = packet;
    this.sendImpaired(writeRtp({ ...this.voice.packet(payloadType, marker, timestamp, payload), ...packet }));
  }

  sendReport(): void {
    if (this.remote === null) return;
    this.sendRaw(this.rtcp.report(this.voice, this.timeline.streams.values(), RtpPhone.nowUs(), Date.now()), 'rtcp');
  }

  sendBye(reason = ''): void {
    this.sendRaw(this.rtcp.bye(this.ssrc, reason), 'rtcp');
  }

  /** Sends from a new port from now on and hears only there, as behind a NAT that made a new mapping. */
  async rebind(which: Transport | 'both' = 'both'): Promise<void> {
    if (which !== 'rtcp') await this.bound().rebind('rtp');
    if (which !== 'rtp') await this.bound().rebind('rtcp');
  }

  /** What it heard as samples of 8 kHz, from `fromUs` (default: since it was opened) to `toUs` (default: now). */
  heard(fromUs = this.openedUs, toUs = RtpPhone.nowUs()): Int16Array {
    return this.timeline.samples(fromUs, toUs);
  }

  /** The digits heard so far, as a string. */
  get heardDigits(): string {
    return this.timeline.digits.map(({ digit }) => digit).join('');
  }

  /** Resolves with the first value of `look` that is neither undefined, null nor false; looks after each datagram. */
  waitFor<T>(look: (phone: this) => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.waits.until(() => look(this), options);
  }

  /** Until `count` RTP packets came since the phone was opened. */
  async waitForPackets(count: number, options: WaitOptions = {}): Promise<void> {
    await this.waitFor(() => this.timeline.packets.length >= count, { what: `${count} packets`, ...options });
  }

  /** Until `count` more RTP packets came than now. */
  waitForMorePackets(count: number, options?: WaitOptions): Promise<void> {
    return this.waitForPackets(this.timeline.packets.length + count, options);
  }

  /** Until the digit was heard to its end, at any time since the phone was opened. */
  async waitForDigit(digit: string, options: WaitOptions = {}): Promise<void> {
    await this.waitFor(() => this.heardDigits.includes(digit), { what: `digit ${digit}`, ...options });
  }

  /** Until all that it heard begins with these digits. */
  async waitForDigits(digits: string, options: WaitOptions = {}): Promise<void> {
    await this.waitFor(() => this.heardDigits.startsWith(digits), { what: `digits ${digits}`, ...options });
  }

  /** The first RTCP packet of a type, received already or to come. */
  waitForRtcp<Type extends RtcpPacket['type']>(
    type: Type,
    options: WaitOptions = {},
  ): Promise<Extract<RtcpPacket, { type: Type }>> {
    const isOfType = (packet: RtcpPacket): packet is Extract<RtcpPacket, { type: Type }> => packet.type === type;
    return this.waitFor(() => this.receivedRtcp.flatMap(({ packets }) => packets).find(isOfType), {
      what: `RTCP ${type}`,
      ...options,
    });
  }

  get receivedRtcp(): readonly ReceivedRtcp[] {
    return this.rtcp.received;
  }

  /** Ends speaking, echoing and reporting; it still hears. Idempotent. */
  stop(): void {
    this.pacer?.stop();
    if (this.reports !== null) clearInterval(this.reports);
    this.reports = null;
    this.remote = null;
    this.voice.end();
  }

  /** Stops and closes the sockets; what it heard stays. Idempotent. */
  async close(): Promise<void> {
    this.stop();
    const { sockets } = this;
    this.sockets = null;
    this.waits.abandon('the phone was closed');
    await sockets?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private bound(): PhoneSockets {
    if (this.sockets === null) throw new Error('the phone is closed');
    return this.sockets;
  }

  private tick(): void {
    const packets = this.voice.tick();
    for (const packet of packets) {
      if (this.options.stamp === true && packet.payload.length >= STAMP_BYTES) {
        stampPayload(packet.payload, RtpPhone.nowUs());
      }
      this.sendImpaired(writeRtp(packet));
    }
    this.waits.changed();
  }

  /** Nothing goes out while there is nobody to send to: time runs on. */
  private sendImpaired(bytes: Uint8Array): void {
    if (this.remote === null) return;
    for (const datagram of this.impairer.pass(bytes)) this.sendRaw(datagram);
  }

  private receive(transport: Transport, bytes: Uint8Array, { address, port }: RemoteInfo): void {
    const arrivalUs = RtpPhone.nowUs();
    const from = { address, port };
    if (transport === 'rtcp') {
      const packets = readRtcp(bytes);
      if (packets === null) this.timeline.malformed++;
      else this.rtcp.receive({ arrivalUs, from, packets }, this.ssrc, Date.now());
    } else {
      const packet = readRtp(bytes);
      if (packet === null) {
        this.timeline.malformed++;
      } else {
        if (this.options.echo === true) this.echo(bytes, packet.payload.length);
        const sentUs = readPayloadStamp(packet.payload);
        this.timeline.add({ ...packet, arrivalUs, from, latencyUs: sentUs === null ? null : arrivalUs - sentUs });
      }
    }
    this.waits.changed();
  }

  private echo(bytes: Uint8Array, payloadBytes: number): void {
    const copy = new Uint8Array(bytes);
    new DataView(copy.buffer).setUint32(SSRC_OFFSET, this.ssrc);
    this.voice.packets++;
    this.voice.octets += payloadBytes;
    this.sendImpaired(copy);
  }

  private describe(): string {
    const { malformed, statistics } = this.timeline;
    const streams = statistics.map((stream) => JSON.stringify(stream)).join(', ') || 'nothing';
    const compounds = this.rtcp.received.length;
    return `heard ${streams}; digits "${this.heardDigits}"; ${compounds} RTCP compounds, ${malformed} malformed datagrams`;
  }
}
