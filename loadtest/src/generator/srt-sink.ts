import { SocketAddress } from '@mediaplane/net';
import type { PacketIo } from '@mediaplane/net';
import {
  AckBatch,
  HandshakeType,
  SRTLA_TYPE_BYTES,
  SrtKind,
  dataSequence,
  isSrtla,
  parseHandshake,
  srtKind,
  srtlaType,
  SrtlaType,
  writeReply,
} from '@mediaplane/srtla';
import { Histogram } from '../measure/histogram.ts';
import type { SinkResult, TrafficTimes } from './srt-plan.ts';
import {
  PROBE_BYTES,
  isProbeData,
  probeGroup,
  probeSentUs,
  writeConclusion,
  writeFullAck,
  writeInduction,
} from './srt-probe.ts';

/** As libsrt acknowledges; with many streams less often, for on few cores the answers of all would be most of the load. */
const ACK_INTERVAL_US = 10_000;
const MAX_ACKS_PER_SECOND = 5000;
const WAIT_US = 5000;
/** What is under way when the last packet has been sent. */
const DRAIN_US = 1_500_000;
const SERVER_SOCKET_ID = 0x2000_0000;
const COOKIE = 0x0c00_c1e5;
/** Numbers of packets that are kept a bit of, beside those of the schedule: of one that is late. */
const SPARE_PACKETS = 4096;

/** What is known of one stream. */
class Stream {
  /** By sequence number less the first. */
  seen = new Uint8Array(0);
  first = -1;
  /** Everything below has arrived. */
  acknowledged = 0;
  hasNews = false;
  ackNumber = 0;
}

/** A link, when the SRTLA receiver is played too. */
class Link {
  readonly address = new SocketAddress();
  readonly acks = new AckBatch();
}

/** An SRT server that only counts, for any number of callers; on request with an SRTLA receiver in front, for one group. */
export class SrtSink {
  readonly #io: PacketIo;
  readonly #socket: number;
  readonly #scratch: number;
  readonly #nowUs: () => number;
  readonly #isBonded: boolean;
  readonly #from = new SocketAddress();
  readonly #streams: Stream[] = [];
  /** By stream, where its last packet came from. */
  readonly #callers: SocketAddress[] = [];
  /** Of groups that were asked for. */
  readonly #ids = new Set<string>();
  readonly #links = new Map<number, Link>();
  readonly #latency = new Histogram();
  #times: TrafficTimes | undefined;
  #acknowledgedUs = 0;
  #received = 0;
  #duplicates = 0;

  /** `scratch`: PROBE_BYTES of the arena. */
  constructor(io: PacketIo, socket: number, scratch: number, isBonded: boolean, nowUs: () => number) {
    this.#io = io;
    this.#socket = socket;
    this.#scratch = scratch;
    this.#isBonded = isBonded;
    this.#nowUs = nowUs;
  }

  /** From now on packets are counted. */
  count(groups: number, times: TrafficTimes): void {
    this.#times = times;
    const packets = Math.ceil(((times.endUs - times.startUs) / 1e6) * times.packetsPerSecond) + SPARE_PACKETS;
    for (let group = 0; group < groups; group += 1) this.#stream(group).seen = new Uint8Array(packets);
  }

  /** Serves for `sliceUs`. Returns whether the counting is over. */
  serve(sliceUs: number): boolean {
    for (const untilUs = this.#nowUs() + sliceUs; ;) {
      const { batch } = this.#io;
      const count = this.#io.receive(WAIT_US);
      const nowUs = this.#nowUs();
      for (let i = 0; i < count; i += 1) this.#onDatagram(i, nowUs);
      if (nowUs - this.#acknowledgedUs >= this.#ackIntervalUs()) this.#acknowledge(nowUs);
      if (this.#times !== undefined && nowUs >= this.#times.endUs + DRAIN_US) return true;
      if (nowUs >= untilUs) return false;
      batch.count = 0;
    }
  }

  result(): SinkResult {
    return { received: this.#received, duplicates: this.#duplicates, latencyMs: this.#latency.toMs() };
  }

  #onDatagram(index: number, nowUs: number): void {
    const { batch, view } = this.#io;
    const offset = batch.offset[index];
    const length = batch.length[index];
    this.#from.setSource(batch.source, index);
    if (this.#isBonded && isSrtla(view, offset, length)) return this.#onSrtla(offset, length);
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.data) this.#onData(offset, length, nowUs);
    else if (kind === SrtKind.handshake) this.#onHandshake(offset, length);
  }

  #onData(offset: number, length: number, nowUs: number): void {
    const { view } = this.#io;
    if (!isProbeData(view, offset, length)) return;
    const sequence = dataSequence(view, offset);
    if (this.#isBonded) this.#onLinkData(sequence);
    const group = probeGroup(view, offset);
    const stream = this.#stream(group);
    this.#callers[group].copyFrom(this.#from);
    if (stream.first < 0) stream.first = stream.acknowledged = sequence;
    const place = sequence - stream.first;
    stream.hasNews = true;
    if (this.#times === undefined || place < 0 || place >= stream.seen.length) return;
    const sentUs = probeSentUs(view, offset);
    const isMeasured = sentUs >= this.#times.measureFromUs;
    if (stream.seen[place] === 1) {
      if (isMeasured) this.#duplicates += 1;
      return;
    }
    stream.seen[place] = 1;
    while (stream.seen[stream.acknowledged - stream.first] === 1) stream.acknowledged += 1;
    if (!isMeasured) return;
    this.#received += 1;
    this.#latency.record(nowUs - sentUs);
  }

  #onHandshake(offset: number, length: number): void {
    const asked = parseHandshake(this.#io.view, offset, length);
    if (asked === null) return;
    const out = this.#io.bytes.subarray(this.#scratch, this.#scratch + PROBE_BYTES);
    const words = {
      destinationSocketId: asked.socketId,
      socketId: SERVER_SOCKET_ID,
      cookie: COOKIE,
      initialSequence: asked.initialSequence,
    };
    const isInduction = asked.type === HandshakeType.induction;
    this.#reply(isInduction ? writeInduction(out, words, true) : writeConclusion(out, words, true));
  }

  #onSrtla(offset: number, length: number): void {
    const type = srtlaType(this.#io.view, offset);
    if (type === SrtlaType.keepalive) {
      this.#io.queue(this.#socket, offset, length, this.#from);
    } else if (type === SrtlaType.reg1 || type === SrtlaType.reg2) {
      this.#register(type, offset, length);
    }
  }

  /** Who asks for a group gets it, with the whole id its own; an id that was not asked for is nobody's. */
  #register(type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2, offset: number, length: number): void {
    const { bytes, view } = this.#io;
    const id = Buffer.from(bytes.subarray(offset + SRTLA_TYPE_BYTES, offset + length)).toString('hex');
    if (type === SrtlaType.reg1) {
      this.#ids.add(id);
      bytes.copyWithin(this.#scratch, offset, offset + length);
      view.setUint16(this.#scratch, SrtlaType.reg2);
      this.#reply(length);
      return;
    }
    const isKnown = this.#ids.has(id);
    if (isKnown) this.#link();
    this.#reply(writeReply(bytes, this.#scratch, isKnown ? SrtlaType.reg3 : SrtlaType.regNoGroup, false));
  }

  #onLinkData(sequence: number): void {
    const { acks, address } = this.#link();
    if (acks.add(sequence)) this.#reply(acks.write(this.#io.view, this.#scratch), address);
  }

  /** The one that the datagram at hand came by. */
  #link(): Link {
    // Links have addresses of their own, or ports.
    const key = (this.#from.w3 & 0xffff) * 0x10000 + this.#from.port;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = new Link();
    link.address.copyFrom(this.#from);
    this.#links.set(key, link);
    return link;
  }

  #ackIntervalUs(): number {
    return Math.max(ACK_INTERVAL_US, (this.#streams.length * 1e6) / MAX_ACKS_PER_SECOND);
  }

  #acknowledge(nowUs: number): void {
    this.#acknowledgedUs = nowUs;
    for (const [group, stream] of this.#streams.entries()) {
      if (!stream.hasNews) continue;
      stream.hasNews = false;
      stream.ackNumber += 1;
      const { view } = this.#io;
      const length = writeFullAck(view, this.#scratch, stream.ackNumber, stream.acknowledged, 0x1000_0000 + group);
      if (!this.#isBonded) this.#reply(length, this.#callers[group]);
      else for (const { address } of this.#links.values()) this.#reply(length, address);
    }
  }

  #reply(length: number, to: SocketAddress = this.#from): void {
    this.#io.send(this.#socket, this.#scratch, length, to);
  }

  #stream(group: number): Stream {
    while (this.#streams.length <= group) {
      this.#streams.push(new Stream());
      this.#callers.push(new SocketAddress());
    }
    return this.#streams[group];
  }
}
