import { SOURCE_WORDS, plainAddress } from '@mediaplane/net';
import {
  AddressLatch,
  LatchVerdict,
  NO_SEQUENCE,
  ParseError,
  RTCP_LATCH_OPTIONS,
  RtcpCursor,
  rtcpIntervalUs,
  RtcpSession,
} from '@mediaplane/rtp';
import type { ChannelSession } from './channel-session.ts';
import { known, NOWHERE } from './addresses.ts';
import { Role, type AddressWords, type ChannelInit } from './contract.ts';
import { Counter } from './thread-tools.ts';

/** Shared by all channels: it holds nothing between calls. */
const cursor = new RtcpCursor();
const NO_REASON = new Uint8Array();

/** The RTCP port of a channel: whom it listens to, where reports go and when. What they say is `RtcpSession`'s. */
export class RtcpPort {
  readonly latch: AddressLatch;
  readonly session: RtcpSession;
  readonly #channel: ChannelSession;
  #random: number;

  constructor(channel: ChannelSession, init: ChannelInit, nowUs: number) {
    this.#channel = channel;
    this.#random = init.seed | 1;
    this.latch = new AddressLatch(init.settings.latchMode, RTCP_LATCH_OPTIONS, nowUs);
    this.session = new RtcpSession(init.cname, channel.tools.thread.unixOffsetUs, nowUs, this.#nextRandom());
  }

  /** When the next report is due; Infinity while there is nobody to send it to. */
  get dueUs(): number {
    return this.latch.current.port === 0 ? Infinity : this.session.nextDeadlineUs;
  }

  /** Also starts the reports: the first is due within three seconds of the first address. */
  setRemote(remote: AddressWords | null, nowUs: number): void {
    const { w0, w1, w2, w3, port } = remote ?? NOWHERE;
    const wasKnown = this.latch.current.port !== 0;
    this.latch.setRemote(w0, w1, w2, w3, port, nowUs);
    if (!wasKnown) this.#start(nowUs);
  }

  /** RTP comes from this host: its RTCP is as good as signalled. */
  hint({ w0, w1, w2, w3 }: AddressWords): void {
    this.latch.setHint(w0, w1, w2, w3);
  }

  onDatagram(index: number, nowUs: number): void {
    const { io, counters } = this.#channel.tools;
    const { offset, length, source } = io.batch;
    // What is not RTCP must not count as a sign of life, so it is checked before the latch.
    if (cursor.begin(io.view, offset[index], length[index]) !== ParseError.none || !cursor.next()) {
      this.session.malformed += 1;
      counters[Counter.droppedMalformed] += 1;
      return;
    }
    const at = index * SOURCE_WORDS;
    const verdict = this.latch.accept(
      source[at],
      source[at + 1],
      source[at + 2],
      source[at + 3],
      source[at + 4],
      cursor.ssrc,
      NO_SEQUENCE,
      nowUs,
    );
    if (verdict === LatchVerdict.drop) {
      counters[Counter.droppedSource] += 1;
      return;
    }
    if (verdict === LatchVerdict.moved) this.#reportMove(nowUs);
    counters[Counter.rtcpReceived] += 1;
    this.session.receive(io.view, offset[index], length[index], this.#channel.outbound.stream.ssrc, nowUs);
  }

  onDeadline(nowUs: number): void {
    if (nowUs < this.dueUs) return;
    const { tools, received } = this.#channel;
    const { stream } = this.#channel.outbound;
    this.#send(this.session.writeReport(tools.io.view, tools.outgoing, stream, received, nowUs, this.#nextRandom()));
  }

  sendBye(nowUs: number): void {
    if (this.latch.current.port === 0) return;
    const { tools, received } = this.#channel;
    const { stream } = this.#channel.outbound;
    this.#send(this.session.writeBye(tools.io.view, tools.outgoing, stream, received, nowUs, NO_REASON));
  }

  #send(length: number): void {
    const { tools, port } = this.#channel;
    if (port.send(Role.rtcp, tools.outgoing, length, this.latch.current)) tools.counters[Counter.rtcpSent] += 1;
  }

  /** The latch has taken a source elsewhere, and reports go there. */
  #reportMove(nowUs: number): void {
    const { current } = this.latch;
    const previous = known(this.latch.previous);
    if (!previous) this.#start(nowUs);
    this.#channel.schedule();
    this.#channel.port.emit({ type: 'remote-source-changed', flow: 'rtcp', previous, current: plainAddress(current) });
  }

  /** There is somebody to send reports to, for the first time. */
  #start(nowUs: number): void {
    if (this.session.sent > 0 || this.latch.current.port === 0) return;
    this.session.nextDeadlineUs = nowUs + rtcpIntervalUs(true, this.#nextRandom());
  }

  /** Marsaglia's xorshift32: the interval has to differ between channels, not to be unpredictable. In [0, 1). */
  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return (x >>> 0) / 2 ** 32;
  }
}
