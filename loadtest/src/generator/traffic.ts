import { SOURCE_WORDS, SocketAddress } from '@mediaplane/net';
import type { PacketIo } from '@mediaplane/net';
import { sleepUs } from '@mediaplane/native';
import { Histogram } from '../measure/histogram.ts';
import type { TrafficPlan, TrafficResult } from './plan.ts';
import {
  PACKET_BYTES,
  initialisePacket,
  isProbePacket,
  rewriteSource,
  sentAtUs,
  streamOf,
  writePacket,
} from './probe-packet.ts';
import { FRAME_US, SendSchedule } from './send-schedule.ts';

const LOOPBACK_WORD = 0x7f000001;
const V4_MAPPED_WORD = 0xffff;
/** Sends in a row before looking for packets that came back, so that neither direction waits for the other. */
const SENDS_PER_PASS = 16;
/** epoll waits whole milliseconds; what is due sooner is slept for in naps of this length at most. */
const EPOLL_GRAIN_US = 1000;
const NAP_US = 60;
/** How long packets may be under way after the last one was sent. */
const DRAIN_US = 1_000_000;
/** SSRCs of phones; a stream's is this plus its number. */
const PHONE_A_SSRC = 0x0a00_0000;
const PHONE_B_SSRC = 0x0b00_0000;

/** Sends the streams of a plan, plays phone B, and measures what comes back. One thread, no allocation per packet. */
export class Traffic {
  readonly #io: PacketIo;
  readonly #plan: TrafficPlan;
  readonly #nowUs: () => number;
  readonly #schedule: SendSchedule;
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  readonly #packet: number;
  readonly #to = new SocketAddress();
  /** By stream. */
  readonly #senderSockets: Int32Array;
  readonly #targetPorts: Int32Array;
  readonly #sendIndices: Float64Array;
  readonly #counted: Uint8Array;
  /** By socket: the stream it belongs to, and whether it is phone B. */
  readonly #streamOfSocket: Int32Array;
  readonly #isPhoneB: Uint8Array;
  readonly #echoIndices: Int32Array;
  #sent = 0;
  #received = 0;
  #echoed = 0;
  #misrouted = 0;
  #sendErrors = 0;

  /** `packetOffset`: PACKET_BYTES of the arena of `io`. Sockets are attached with their number as tag, and are numbered from 0. */
  constructor(io: PacketIo, sockets: number, packetOffset: number, plan: TrafficPlan, nowUs: () => number) {
    const { streams } = plan;
    this.#io = io;
    this.#plan = plan;
    this.#nowUs = nowUs;
    this.#packet = packetOffset;
    initialisePacket(io.view, packetOffset);
    this.#schedule = new SendSchedule(streams.length, plan.startUs, plan.endUs);
    this.#senderSockets = Int32Array.from(streams, (stream) => stream.socket);
    this.#targetPorts = Int32Array.from(streams, (stream) => stream.targetPort);
    // By the clock, so that a phone that talks again later goes on where its timestamps would be (RFC 3550 5.1).
    this.#sendIndices = new Float64Array(streams.length).fill(Math.floor(plan.startUs / FRAME_US));
    this.#counted = Uint8Array.from(streams, (stream) => (stream.counted ? 1 : 0));
    this.#streamOfSocket = new Int32Array(sockets).fill(-1);
    this.#isPhoneB = new Uint8Array(sockets);
    this.#echoIndices = new Int32Array(sockets);
    streams.forEach((stream, number) => {
      this.#streamOfSocket[stream.socket] = number;
      if (stream.echoSocket === null) return;
      this.#streamOfSocket[stream.echoSocket] = number;
      this.#isPhoneB[stream.echoSocket] = 1;
    });
  }

  /** Runs for `sliceUs` at the most, so that the process can hear its parent. @returns whether it is over */
  run(sliceUs: number): boolean {
    const until = this.#nowUs() + sliceUs;
    for (;;) {
      const nowUs = this.#nowUs();
      this.#sendDue(nowUs);
      this.#takeIn(this.#pause(this.#nowUs()));
      if (nowUs >= this.#plan.endUs && this.#isDrained(nowUs)) return true;
      if (nowUs >= until) return false;
    }
  }

  #isDrained(nowUs: number): boolean {
    return this.#received >= this.#sent || nowUs >= this.#plan.endUs + DRAIN_US;
  }

  #sendDue(nowUs: number): void {
    const schedule = this.#schedule;
    // What a late generator has not sent by now stays unsent: the engine's CPU is read at this moment.
    if (nowUs >= this.#plan.endUs) return;
    for (let sends = 0; sends < SENDS_PER_PASS && schedule.nextDueUs <= nowUs; sends += 1) {
      const stream = schedule.nextStream;
      const dueUs = schedule.nextDueUs;
      const sentUs = this.#nowUs();
      writePacket(this.#io.view, this.#packet, stream, this.#sendIndices[stream]++, PHONE_A_SSRC + stream, sentUs);
      this.#to.set(0, 0, V4_MAPPED_WORD, LOOPBACK_WORD, this.#targetPorts[stream]);
      const taken = this.#io.send(this.#senderSockets[stream], this.#packet, PACKET_BYTES, this.#to);
      if (!taken) this.#sendErrors += 1;
      else if (this.#isMeasured(stream, sentUs)) {
        this.#sent += 1;
        this.#lateness.record(sentUs - dueUs);
      }
      schedule.advance();
    }
  }

  /** Sleeps if there is time. @returns how long the receive may wait */
  #pause(nowUs: number): number {
    const idleUs = Math.min(this.#schedule.nextDueUs - nowUs, FRAME_US);
    // Waiting inside epoll ends with the first packet; a nap does not, so it is short.
    if (idleUs > 2 * EPOLL_GRAIN_US) return idleUs - EPOLL_GRAIN_US;
    if (idleUs > 0) sleepUs(Math.min(idleUs, NAP_US));
    return 0;
  }

  #takeIn(timeoutUs: number): void {
    const { batch, view } = this.#io;
    const count = this.#io.receive(timeoutUs);
    const nowUs = this.#nowUs();
    for (let i = 0; i < count; i += 1) {
      const at = batch.offset[i];
      if (!isProbePacket(view, at, batch.length[i])) continue;
      const socket = batch.tag[i];
      const stream = streamOf(view, at);
      if (stream !== this.#streamOfSocket[socket]) this.#misrouted += 1;
      else if (this.#isPhoneB[socket] === 1) this.#echo(i, socket, at);
      else if (this.#isMeasured(stream, sentAtUs(view, at))) this.#count(sentAtUs(view, at), nowUs);
    }
  }

  #echo(i: number, socket: number, at: number): void {
    const { batch, view } = this.#io;
    rewriteSource(view, at, this.#echoIndices[socket]++, PHONE_B_SSRC + socket);
    const word = i * SOURCE_WORDS;
    this.#to.set(0, 0, V4_MAPPED_WORD, LOOPBACK_WORD, batch.source[word + 4]);
    if (!this.#io.send(socket, at, PACKET_BYTES, this.#to)) this.#sendErrors += 1;
    else if (this.#isMeasured(streamOf(view, at), sentAtUs(view, at))) this.#echoed += 1;
  }

  #isMeasured(stream: number, sentUs: number): boolean {
    return sentUs >= this.#plan.measureFromUs && this.#counted[stream] === 1;
  }

  #count(sentUs: number, nowUs: number): void {
    this.#received += 1;
    this.#latency.record(nowUs - sentUs);
  }

  result(): TrafficResult {
    return {
      sent: this.#sent,
      received: this.#received,
      echoed: this.#echoed,
      misrouted: this.#misrouted,
      sendErrors: this.#sendErrors,
      latencyMs: this.#latency.toMs(),
      scheduleErrorMs: this.#lateness.toMs(),
    };
  }
}
