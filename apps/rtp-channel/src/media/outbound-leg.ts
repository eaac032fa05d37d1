import { decodeG711, encodeG711, transcodeG711 } from '@mediaplane/audio';
import { SocketAddress } from '@mediaplane/net';
import { OutboundStream, rewriteRtp, RTP_FIXED_HEADER_BYTES, writeRtpHeader, type RtpHeader } from '@mediaplane/rtp';
import type { ChannelSession } from './channel-session.ts';
import { Role, SAMPLE_RATE_HZ, type AddressWords, type AudioFormat, type ChannelIdentity } from './contract.ts';
import { codecOf, kindOf, PayloadKind, type AudioKind } from './payload-kind.ts';
import type { Player } from './player.ts';
import { NEVER } from './tally.ts';
import { Counter } from './thread-tools.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/**
 * What a channel sends, whoever it comes from, on one line: its own SSRC, sequence and timestamp. In this order digits, a
 * playback, and what is relayed: the first of them that has something to say keeps the others silent.
 */
export class OutboundLeg {
  readonly stream: OutboundStream;
  /** Where RTP goes; port 0: nowhere yet. */
  readonly to = new SocketAddress();
  readonly #channel: ChannelSession;
  #format: AudioFormat;
  #kind: AudioKind;

  constructor(channel: ChannelSession, init: ChannelIdentity, send: AudioFormat, nowUs: number) {
    this.#channel = channel;
    this.#format = send;
    this.#kind = kindOf(send);
    this.stream = new OutboundStream(
      init.ssrc,
      init.firstSequence,
      init.firstTimestamp,
      SAMPLE_RATE_HZ,
      send.ptimeMs * SAMPLES_PER_MS,
      nowUs,
    );
  }

  setFormat(format: AudioFormat): void {
    this.#format = format;
    this.#kind = kindOf(format);
    this.stream.setFrameUnits(format.ptimeMs * SAMPLES_PER_MS);
  }

  aim({ w0, w1, w2, w3, port }: AddressWords): void {
    this.to.set(w0, w1, w2, w3, port);
  }

  get canSend(): boolean {
    return this.#channel.settings.sends && this.to.port !== 0;
  }

  /**
   * Sends what another leg (or this one, for echo) received: in this channel's codec, at once. The packet lies at `offset` of
   * the arena and is rewritten in place.
   */
  relay(kind: Exclude<PayloadKind, 0>, offset: number, length: number, header: RtpHeader, nowUs: number): void {
    const { tools, settings, digits, player, taps } = this.#channel;
    if (!this.canSend || digits.sending) return;
    const { bytes, view } = tools.io;
    let payloadType: number = settings.formats.sendDtmfPayloadType;
    if (kind === PayloadKind.digit) {
      if (payloadType < 0) return;
    } else {
      if (player) return;
      payloadType = this.#format.payloadType;
      if (kind !== this.#kind) {
        transcodeG711(codecOf(kind), bytes, header.payloadOffset, header.payloadLength);
        tools.counters[Counter.packetsTranscoded] += 1;
      }
    }
    const { stream } = this;
    if (!stream.relay(header.ssrc, header.sequence, header.timestamp, header.marker, nowUs)) return;
    rewriteRtp(view, offset, payloadType, stream.marker, stream.sequence, stream.timestamp, stream.ssrc);
    if (kind !== PayloadKind.digit && taps.length > 0) this.#tap(header.payloadOffset, header.payloadLength, nowUs);
    this.#send(offset, length, header.payloadLength, nowUs);
  }

  /** Sends the packet whose payload has been written behind a header's room at `tools.outgoing`, at the place `stream` is at. */
  sendOwn(payloadType: number, payloadLength: number, nowUs: number): void {
    const { stream } = this;
    const { tools } = this.#channel;
    writeRtpHeader(
      tools.io.view,
      tools.outgoing,
      payloadType,
      stream.marker,
      stream.sequence,
      stream.timestamp,
      stream.ssrc,
    );
    this.#send(tools.outgoing, RTP_FIXED_HEADER_BYTES + payloadLength, payloadLength, nowUs);
  }

  /** Sends the next packet of a playback; where nothing may be sent, time passes for it all the same. */
  play(player: Player, dueUs: number): void {
    const { tools, taps } = this.#channel;
    const { codec, payloadType, ptimeMs } = this.#format;
    const samples = ptimeMs * SAMPLES_PER_MS;
    const read = player.read(tools.frame, samples);
    if (read === 0 || !this.canSend) return;
    tools.frame.fill(0, read, samples);
    const at = tools.outgoing + RTP_FIXED_HEADER_BYTES;
    encodeG711(codec, tools.frame, 0, samples, tools.io.bytes, at);
    this.stream.generate(dueUs);
    if (taps.length > 0) this.#tap(at, samples, dueUs);
    this.sendOwn(payloadType, samples, dueUs);
    tools.counters[Counter.framesGenerated] += 1;
  }

  #tap(payloadOffset: number, payloadLength: number, nowUs: number): void {
    const { tools, taps } = this.#channel;
    decodeG711(codecOf(this.#kind), tools.io.bytes, payloadOffset, payloadLength, tools.pcm, 0);
    for (const tap of taps) tap.sent(tools.pcm, payloadLength, this.stream.timestamp, nowUs);
  }

  #send(offset: number, length: number, payloadLength: number, nowUs: number): void {
    const { tally, tools, port } = this.#channel;
    if (!port.send(Role.rtp, offset, length, this.to)) {
      tally.sendErrors += 1;
      return;
    }
    tools.counters[Counter.rtpSent] += 1;
    tools.counters[Counter.rtpSentBytes] += payloadLength;
    this.stream.countSent(payloadLength);
    if (tally.firstSentUs === NEVER) tally.firstSentUs = nowUs;
    tally.lastSentUs = nowUs;
  }
}
