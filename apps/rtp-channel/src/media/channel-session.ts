import { decodeG711 } from '@mediaplane/audio';
import type { MediaSession, SessionPort } from '@mediaplane/media';
import { SOURCE_WORDS, isFrom, plainAddress } from '@mediaplane/net';
import {
  AddressLatch,
  Arrival,
  classifyDatagram,
  DatagramKind,
  LatchVerdict,
  ParseError,
  parseRtpHeader,
  RtpSourceStatistics,
} from '@mediaplane/rtp';
import { known, NOWHERE, sameAddress } from './addresses.ts';
import type { Bridge, Relay } from './bridge.ts';
import {
  FRAME_MS,
  Role,
  SAMPLE_RATE_HZ,
  type ChannelContract,
  type ChannelIdentity,
  type ChannelInit,
  type MediaSettings,
  type MediaStatistics,
  type PlaybackEnd,
  type RecordingEnd,
} from './contract.ts';
import { DigitSession } from './digit-session.ts';
import { IdleWatch } from './idle-watch.ts';
import { OutboundLeg } from './outbound-leg.ts';
import { codecOf, LEG_KINDS, PayloadKind, type AudioKind } from './payload-kind.ts';
import type { Player } from './player.ts';
import type { RecordingTap } from './recording-tap.ts';
import { RtcpPort } from './rtcp-port.ts';
import { latchOptions, shareFormats } from './shared-settings.ts';
import { snapshotOf, type ChannelSnapshot } from './session-snapshot.ts';
import { mediaStatistics } from './statistics.ts';
import { NEVER, Tally } from './tally.ts';
import { Counter, type ThreadTools } from './thread-tools.ts';

export type ChannelPort = SessionPort<ChannelSession, ChannelContract>;

const NO_TAPS: RecordingTap[] = [];

/** One RTP endpoint on its media thread: what it hears, what becomes of it, and when it is given up. */
export class ChannelSession implements MediaSession<ChannelContract> {
  // First what every packet needs: with 1000 channels each object that it touches is a cache miss.
  readonly tools: ThreadTools;
  #kinds: Uint8Array;
  readonly latch: AddressLatch;
  readonly received = new RtpSourceStatistics(SAMPLE_RATE_HZ);
  readonly tally = new Tally();
  #receives: boolean;
  #tapped = false;
  /** Who sends on what is heard: the other end of a bridge, for echo the own leg, or nobody. */
  #relay: Relay | null = null;
  #bridge: Bridge | null = null;
  readonly outbound: OutboundLeg;

  readonly port: ChannelPort;
  /** What it was born with, for the thread that it may move to. */
  readonly identity: ChannelIdentity;
  settings: MediaSettings;
  readonly rtcp: RtcpPort;
  readonly digits: DigitSession;
  readonly idle: IdleWatch;
  player: Player | null = null;
  taps: RecordingTap[] = NO_TAPS;

  constructor(tools: ThreadTools, port: ChannelPort, init: ChannelInit, nowUs: number) {
    const { settings, ssrc, firstSequence, firstTimestamp, seed, cname } = init;
    const { formats, kinds } = shareFormats(settings.formats);
    this.tools = tools;
    this.#kinds = kinds;
    this.latch = new AddressLatch(settings.latchMode, latchOptions(settings.latchWindowMs), nowUs);
    this.#receives = settings.receives;
    this.port = port;
    this.identity = { ssrc, firstSequence, firstTimestamp, seed, cname };
    this.settings = { ...settings, formats };
    this.outbound = new OutboundLeg(this, init, this.settings, nowUs);
    this.#aimRelay();
    this.rtcp = new RtcpPort(this, init, nowUs);
    this.digits = new DigitSession(this);
    this.idle = new IdleWatch(settings, nowUs);
    this.#setRemote(nowUs);
    this.schedule();
  }

  onDatagram(index: number, role: number, nowUs: number): void {
    const { offset, length } = this.tools.io.batch;
    if (role === Role.rtp) this.#onRtp(index, offset[index], length[index], nowUs);
    else if (role === Role.rtcp) this.rtcp.onDatagram(index, nowUs);
    else this.#onPeerLeg(index, offset[index], length[index], nowUs);
  }

  onFrame(dueUs: number, nowUs: number): void {
    const { tally } = this;
    const { ptimeMs } = this.settings.formats.send;
    const sendsDigits = this.digits.onFrame(dueUs);
    tally.dueMs += FRAME_MS;
    while (tally.dueMs >= ptimeMs) {
      tally.dueMs -= ptimeMs;
      if (this.player && !this.player.state.paused && !sendsDigits) {
        this.outbound.play(this.player, dueUs);
        if (this.player.ended) this.endPlayback('completed');
      }
    }
    for (const tap of this.taps) {
      const end = tap.onFrame(nowUs);
      if (end) this.finishRecording(tap, end, nowUs);
    }
    this.updateFrames();
  }

  onDeadline(nowUs: number): void {
    this.digits.onDeadline(nowUs);
    this.rtcp.onDeadline(nowUs);
    if (nowUs >= this.idle.dueUs) {
      const finding = this.idle.check(this.received.lastArrivalUs(nowUs), nowUs);
      if (finding?.kind === 'silent') {
        this.tally.silent = true;
        this.port.emit({ type: 'media-idle', silentMs: finding.silentMs });
      } else if (finding) {
        this.port.emit({ type: 'idle-timeout', rule: finding.rule, silentMs: finding.silentMs });
      }
    }
    this.schedule();
  }

  /** Sets the one deadline to whatever comes first. */
  schedule(): void {
    this.port.setDeadline(Math.min(this.rtcp.dueUs, this.idle.dueUs, this.digits.dueUs));
  }

  /** After a playback, digits or a recording began or ended: frames run while one of them needs them, and only then. */
  updateFrames(): void {
    this.#tapped = this.taps.length > 0;
    const needed = this.player !== null || this.digits.sending || this.#tapped;
    this.outbound.attended = needed;
    this.port.setFrames(needed);
  }

  update(settings: MediaSettings, nowUs: number): void {
    const before = this.settings;
    const { formats, kinds } = shareFormats(settings.formats);
    this.settings = { ...settings, formats };
    this.#kinds = kinds;
    this.#receives = settings.receives;
    this.#aimRelay();
    this.outbound.configure(this.settings);
    this.latch.options = latchOptions(settings.latchWindowMs);
    this.latch.setMode(settings.latchMode, nowUs);
    this.rtcp.latch.setMode(settings.latchMode, nowUs);
    if (!sameAddress(before.remoteRtp, settings.remoteRtp)) this.tally.silent = true;
    this.#setRemote(nowUs);
    // Its silence on hold was our wish: nobody may take its place for that.
    if (!before.receives && settings.receives) this.latch.touch(nowUs);
    if (!settings.sends || settings.formats.sendDtmfPayloadType < 0) this.digits.abort();
    this.idle.configure(settings, this.latch.heard, nowUs);
    this.schedule();
    this.updateFrames();
  }

  endPlayback(end: PlaybackEnd, digit = ''): void {
    if (!this.player) return;
    const position = this.player.position();
    this.player = null;
    this.port.emit({ type: 'playback-finished', position, end, digit });
    this.updateFrames();
  }

  finishRecording(tap: RecordingTap, end: RecordingEnd, nowUs: number): void {
    tap.finish(nowUs);
    this.taps = this.taps.filter((other) => other !== tap);
    this.tally.latePackets += tap.state.late;
    if (end !== 'stopped') {
      this.port.emit({ type: 'recording-finished', recordingId: tap.state.recordingId, end });
    }
    this.updateFrames();
  }

  /** Hands a recording's audio to the control thread. */
  recordingEmitter(recordingId: string): (audio: ArrayBuffer) => void {
    return (audio) => this.port.emit({ type: 'recording-chunk', recordingId, audio }, [audio]);
  }

  get bridge(): Bridge | null {
    return this.#bridge;
  }

  set bridge(bridge: Bridge | null) {
    this.#bridge = bridge;
    this.#aimRelay();
  }

  /** Ends the bridge on both sides; returns the local channel that was on the other one. */
  unbridge(): ChannelSession | null {
    const peer = this.bridge?.peer ?? null;
    this.bridge = null;
    if (peer?.bridge?.peer === this) peer.bridge = null;
    return peer;
  }

  statistics(nowUs: number): MediaStatistics {
    return mediaStatistics(this, nowUs);
  }

  /** The bridge ends with it: only what is on one thread can be bridged. */
  snapshot(): ChannelSnapshot {
    this.unbridge();
    return snapshotOf(this);
  }

  close(_closing: null, nowUs: number): MediaStatistics {
    this.unbridge();
    this.digits.abort();
    this.endPlayback('channel-closed');
    for (const tap of this.taps) this.finishRecording(tap, 'channel-closed', nowUs);
    this.rtcp.sendBye(nowUs);
    return this.statistics(nowUs);
  }

  lost(): void {
    this.unbridge();
  }

  #onRtp(index: number, offset: number, length: number, nowUs: number): void {
    const { io, header, counters } = this.tools;
    if (
      classifyDatagram(io.view, offset, length) !== DatagramKind.rtp ||
      parseRtpHeader(io.view, offset, length, header) !== ParseError.none
    ) {
      this.tally.malformed += 1;
      counters[Counter.droppedMalformed] += 1;
      return;
    }
    const kind = this.#kinds[header.payloadType] as PayloadKind;
    const { source } = io.batch;
    if (kind === PayloadKind.unknown) {
      this.#onUnknownPayload(source, index, nowUs);
      return;
    }
    const at = index * SOURCE_WORDS;
    const verdict = this.latch.accept(
      source[at],
      source[at + 1],
      source[at + 2],
      source[at + 3],
      source[at + 4],
      header.ssrc,
      header.sequence,
      nowUs,
    );
    if (verdict === LatchVerdict.drop) {
      counters[Counter.droppedSource] += 1;
      return;
    }
    if (verdict === LatchVerdict.moved) this.#reportMove();
    counters[Counter.rtpReceived] += 1;
    counters[Counter.rtpReceivedBytes] += header.payloadLength;
    const arrival = this.received.update(header.ssrc, header.sequence, header.timestamp, header.payloadLength, nowUs);
    this.#noteArrival(nowUs);
    if (!this.#receives) {
      this.tally.againstDirection += 1;
      counters[Counter.droppedDirection] += 1;
      return;
    }
    // A copy that comes again has been passed on already.
    if (arrival !== Arrival.duplicate) this.#use(kind, offset, length, nowUs);
  }

  /**
   * A payload type that was not negotiated wins nobody a place with the latch. From the present source it is a sign of life
   * (comfort noise comes like this) and has its place in the sequence.
   */
  #onUnknownPayload(source: Int32Array, index: number, nowUs: number): void {
    const { header, counters } = this.tools;
    this.tally.unknownPayloadType += 1;
    counters[Counter.droppedPayloadType] += 1;
    if (!this.latch.heard || !isFrom(this.latch.current, source, index)) return;
    this.received.update(header.ssrc, header.sequence, header.timestamp, header.payloadLength, nowUs);
    this.#noteArrival(nowUs);
  }

  /** What becomes of a good packet, whose header is in `tools.header`. */
  #use(kind: Exclude<PayloadKind, 0>, offset: number, length: number, nowUs: number): void {
    const { header } = this.tools;
    if (kind === PayloadKind.digit) {
      this.digits.onPacket(header, nowUs);
    } else {
      this.tally.lastPayloadType = header.payloadType;
      if (this.#tapped) this.#tap(kind, nowUs);
    }
    const relay = this.#relay;
    // Digits are not echoed.
    if (relay === null || (kind === PayloadKind.digit && relay === this.outbound)) return;
    relay.relay(kind, offset, length, header, nowUs);
  }

  /** RTP of the channel at the other end of a bridge across instances; from its exact address, or not at all. */
  #onPeerLeg(index: number, offset: number, length: number, nowUs: number): void {
    const { io, header, counters } = this.tools;
    const address = this.bridge?.legAddress;
    if (!address || !isFrom(address, io.batch.source, index)) {
      counters[Counter.droppedSource] += 1;
    } else if (parseRtpHeader(io.view, offset, length, header) !== ParseError.none) {
      counters[Counter.droppedMalformed] += 1;
    } else {
      const kind = LEG_KINDS[header.payloadType] as PayloadKind;
      if (kind !== PayloadKind.unknown) this.outbound.relay(kind, offset, length, header, nowUs);
    }
  }

  #aimRelay(): void {
    this.#relay = this.#bridge?.relay ?? (this.settings.echo ? this.outbound : null);
  }

  #noteArrival(nowUs: number): void {
    const { tally, latch } = this;
    if (!tally.silent) return;
    tally.silent = false;
    if (tally.firstReceivedUs === NEVER) tally.firstReceivedUs = nowUs;
    this.idle.configure(this.settings, true, nowUs);
    this.idle.heardAgain(nowUs);
    this.schedule();
    const { header } = this.tools;
    this.port.emit({
      type: 'media-started',
      source: plainAddress(latch.current),
      ssrc: header.ssrc >>> 0,
      payloadType: header.payloadType,
    });
  }

  #tap(kind: AudioKind, nowUs: number): void {
    const { header, pcm, io } = this.tools;
    decodeG711(codecOf(kind), io.bytes, header.payloadOffset, header.payloadLength, pcm, 0);
    for (const tap of this.taps) tap.received(pcm, header.payloadLength, header.timestamp, nowUs);
  }

  #setRemote(nowUs: number): void {
    const { remoteRtp, remoteRtcp } = this.settings;
    const { w0, w1, w2, w3, port } = remoteRtp ?? NOWHERE;
    this.latch.setRemote(w0, w1, w2, w3, port, nowUs);
    this.rtcp.setRemote(remoteRtcp, nowUs);
  }

  /** The latch has taken a source elsewhere, and what is sent goes there. */
  #reportMove(): void {
    const { current, previous } = this.latch;
    this.rtcp.hint(current);
    this.port.emit({
      type: 'remote-source-changed',
      flow: 'rtp',
      previous: known(previous),
      current: plainAddress(current),
    });
  }
}
