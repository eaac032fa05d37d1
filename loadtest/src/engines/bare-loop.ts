import { SOURCE_WORDS, SocketAddress } from '@mediaplane/net';
import type { PacketIo } from '@mediaplane/net';
import { sleepUs } from '@mediaplane/native';
import { WakeCoalescer } from '@mediaplane/media';
import { rewriteSource } from '../generator/probe-packet.ts';

const LOOPBACK_WORD = 0x7f000001;
const V4_MAPPED_WORD = 0xffff;
const ENGINE_SSRC = 0x0e00_0000;
const NO_PEER = -1;
const RTP_HEADER_BYTES = 12;

/**
 * The least that an engine can do: take a datagram, make it one of its own source, send it on. No parsing, latch, RTCP,
 * statistics or sessions, so what another engine costs more is the price of its protocol work. It coalesces wake-ups as the
 * media threads do, within the same budget, or not at all with a budget of 0.
 */
export class BareLoop {
  readonly #io: PacketIo;
  readonly #coalescer: WakeCoalescer;
  readonly #nowUs: () => number;
  readonly #to = new SocketAddress();
  /** By tag. */
  readonly #sockets: number[] = [];
  /** Tag of the other leg; NO_PEER sends a datagram back to where it came from. */
  readonly #peers: number[] = [];
  readonly #remotePorts: number[] = [];
  readonly #sequences: number[] = [];

  constructor(io: PacketIo, latencyBudgetUs: number, batchSize: number, nowUs: () => number) {
    this.#io = io;
    this.#nowUs = nowUs;
    this.#coalescer = new WakeCoalescer(latencyBudgetUs, batchSize, nowUs());
  }

  /** `peer`: tag of the leg to send on from, for a relay. That leg sends to its own `remotePort` of the loopback interface. */
  add(tag: number, socket: number, remotePort: number, peer: number = NO_PEER): void {
    this.#sockets[tag] = socket;
    this.#peers[tag] = peer;
    this.#remotePorts[tag] = remotePort;
    this.#sequences[tag] = 0;
  }

  run(sliceUs: number): void {
    const io = this.#io;
    let nowUs = this.#nowUs();
    const until = nowUs + sliceUs;
    while (nowUs < until) {
      const pauseUs = this.#coalescer.pauseUs(until, this.#nowUs());
      if (pauseUs > 0) sleepUs(pauseUs);
      const backlogsBefore = io.counters.backlogs;
      const received = io.receive(until - nowUs);
      nowUs = this.#nowUs();
      this.#coalescer.observe(received, io.counters.backlogs !== backlogsBefore, nowUs);
      for (let i = 0; i < received; i += 1) this.#forward(i);
      io.flush();
    }
  }

  #forward(i: number): void {
    const { batch, view } = this.#io;
    const from = batch.tag[i];
    const at = batch.offset[i];
    const length = batch.length[i];
    const peer = this.#peers[from];
    const out = peer === NO_PEER ? from : peer;
    if (length >= RTP_HEADER_BYTES) rewriteSource(view, at, this.#sequences[out]++, ENGINE_SSRC + out);
    const port = peer === NO_PEER ? batch.source[i * SOURCE_WORDS + 4] : this.#remotePorts[peer];
    this.#to.set(0, 0, V4_MAPPED_WORD, LOOPBACK_WORD, port);
    this.#io.queue(this.#sockets[out], at, length, this.#to);
  }
}
