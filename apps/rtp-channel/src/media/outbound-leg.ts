import { decodeG711, encodeG711, transcodeG711 } from '@mediaplane/audio';
import type { AddressWords } from '@mediaplane/net';
import { OutboundStream, rewriteRtp, RTP_FIXED_HEADER_BYTES, writeRtpHeader, type RtpHeader } from '@mediaplane/rtp';
import type { Relay } from './bridge.ts';
import type { ChannelSession } from './channel-session.ts';
import { Role, SAMPLE_RATE_HZ, type AudioFormat, type ChannelIdentity, type MediaSettings } from './contract.ts';
import { codecOf, kindOf, PayloadKind, type AudioKind } from './payload-kind.ts';
import type { Player } from './player.ts';
import { Counter, type ThreadTools } from './thread-tools.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/**
 * What a channel sends, whoever it comes from, on one line: its own SSRC, sequence and timestamp. In this order digits, a
 * playback, and what is relayed: the first of them that has something to say keeps the others silent.
 */
export class OutboundLeg implements Relay {
  // First what every relayed packet needs.
  readonly stream: OutboundStream;
  readonly #tools: ThreadTools;
  /** Where RTP goes: the latch's current address; port 0: nowhere yet. */
  readonly #to: AddressWords;
  /** Index for `io.send`; a channel keeps its RTP socket for as long as it is on a thread. */
  readonly #socket: number;
  /** Digits, a playback or a recording may have something to say to a packet: see `relay`. */
  attended = false;
  #sends = false;
  #kind: AudioKind;
  #payloadType = 0;
  #dtmfPayloadType = -1;

  #format: AudioFormat;
  readonly #channel: ChannelSession;

  constructor(channel: ChannelSession, init: ChannelIdentity, settings: MediaSettings, nowUs: number) {
    const { send } = settings.formats;
    this.stream = new OutboundStream(
      init.ssrc,
      init.firstSequence,
      init.firstTimestamp,
      SAMPLE_RATE_HZ,
      send.ptimeMs * SAMPLES_PER_MS,
      nowUs,
    );
    this.#tools = channel.tools;
    this.#to = channel.latch.current;
    this.#socket = channel.port.socket(Role.rtp);
    this.#kind = kindOf(send);
    this.#format = send;
    this.#channel = channel;
    this.configure(settings);
  }

  configure({ sends, formats }: MediaSettings): void {
    const { send, sendDtmfPayloadType } = formats;
    this.#sends = sends;
    this.#kind = kindOf(send);
    this.#payloadType = send.payloadType;
    this.#dtmfPayloadType = sendDtmfPayloadType;
    this.#format = send;
    this.stream.setFrameUnits(send.ptimeMs * SAMPLES_PER_MS);
  }

  /** Packets that the kernel did not take, on all threads that the channel has been on. */
  get sendErrors(): number {
    return this.#channel.tally.sendErrors + this.#tools.io.failedSends(this.#socket);
  }

  get canSend(): boolean {
    return this.#sends && this.#to.port !== 0;
  }

  /**
   * Sends what another leg (or this one, for echo) received: in this channel's codec, at once. The packet lies at `offset` of
   * the arena and is rewritten in place.
   */
  relay(kind: Exclude<PayloadKind, 0>, offset: number, length: number, header: RtpHeader, nowUs: number): void {
    if (!this.canSend || (this.attended && this.#isTaken(kind))) return;
    const tools = this.#tools;
    const { bytes, view } = tools.io;
    let payloadType = this.#payloadType;
    if (kind === PayloadKind.digit) {
      payloadType = this.#dtmfPayloadType;
      if (payloadType < 0) return;
    } else if (kind !== this.#kind) {
      transcodeG711(codecOf(kind), bytes, header.payloadOffset, header.payloadLength);
      tools.counters[Counter.packetsTranscoded] += 1;
    }
    const { stream } = this;
    if (!stream.relay(header.ssrc, header.sequence, header.timestamp, header.marker, nowUs)) return;
    rewriteRtp(view, offset, payloadType, stream.marker, stream.sequence, stream.timestamp, stream.ssrc);
    if (this.attended && kind !== PayloadKind.digit) this.#tap(header.payloadOffset, header.payloadLength, nowUs);
    // The packet stays where it is until the batch is through.
    tools.io.queue(this.#socket, offset, length, this.#to);
    this.#count(header.payloadLength, nowUs);
  }

  /** Digits keep everything else silent, a playback other audio. */
  #isTaken(kind: PayloadKind): boolean {
    const { digits, player } = this.#channel;
    return digits.sending || (player !== null && kind !== PayloadKind.digit);
  }

  /** Sends the packet whose payload has been written behind a header's room at `tools.outgoing`, at the place `stream` is at. */
  sendOwn(payloadType: number, payloadLength: number, nowUs: number): void {
    const { stream } = this;
    const { io, outgoing } = this.#tools;
    writeRtpHeader(io.view, outgoing, payloadType, stream.marker, stream.sequence, stream.timestamp, stream.ssrc);
    io.send(this.#socket, outgoing, RTP_FIXED_HEADER_BYTES + payloadLength, this.#to);
    this.#count(payloadLength, nowUs);
  }

  /** Sends the next packet of a playback; where nothing may be sent, time passes for it all the same. */
  play(player: Player, dueUs: number): void {
    const tools = this.#tools;
    const { codec, payloadType, ptimeMs } = this.#format;
    const samples = ptimeMs * SAMPLES_PER_MS;
    const read = player.read(tools.frame, samples);
    if (read === 0 || !this.canSend) return;
    tools.frame.fill(0, read, samples);
    const at = tools.outgoing + RTP_FIXED_HEADER_BYTES;
    encodeG711(codec, tools.frame, 0, samples, tools.io.bytes, at);
    this.stream.generate(dueUs);
    this.#tap(at, samples, dueUs);
    this.sendOwn(payloadType, samples, dueUs);
    tools.counters[Counter.framesGenerated] += 1;
  }

  #tap(payloadOffset: number, payloadLength: number, nowUs: number): void {
    const { taps } = this.#channel;
    if (taps.length === 0) return;
    const { io, pcm } = this.#tools;
    decodeG711(codecOf(this.#kind), io.bytes, payloadOffset, payloadLength, pcm, 0);
    for (const tap of taps) tap.sent(pcm, payloadLength, this.stream.timestamp, nowUs);
  }

  #count(payloadLength: number, nowUs: number): void {
    const { stream } = this;
    const { counters } = this.#tools;
    counters[Counter.rtpSent] += 1;
    counters[Counter.rtpSentBytes] += payloadLength;
    stream.countSent(payloadLength, nowUs);
    if (stream.packetsSent === 1) this.#channel.tally.firstSentUs = nowUs;
  }
}
