import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  FULL_ACK_BYTES,
  NakReader,
  SHUTDOWN_BYTES,
  SRT_HEADER_BYTES,
  SRT_LIVE_PAYLOAD_BYTES,
  SrtControlType,
  SrtKind,
  ackNumber,
  ackRttUs,
  ackRttVarianceUs,
  acknowledgedSequence,
  destinationSocketId,
  isLightAck,
  nextSequence,
  srtKind,
  writeControlHeader,
  writeDataHeader,
  writeShutdown,
} from '@mediaplane/srtla';
import { SrtCall } from './srt-handshaking.ts';
import type { SrtAgreement, SrtCallerOptions } from './srt-handshaking.ts';
import { SrtSentPackets } from './srt-sent-packets.ts';
import { KEEPALIVE_US, PEER_IDLE_US, SOCKET_BUFFER_BYTES, srtNowUs, viewOf } from './srt-settings.ts';
import type { SrtEnd } from './srt-settings.ts';
import type { WaitOptions } from './wait-list.ts';
import { WaitList } from './wait-list.ts';

const TICK_MS = 10;
/** How long libsrt tries to shake hands. */
const CONNECT_TIMEOUT_MS = 3000;
/** Nothing sent for so long, beside a round trip: the last packet may be lost without anybody knowing. */
const TAIL_US = 30_000;
const FIRST_RTT_US = 100_000;

export interface SrtCallerStatistics {
  /** Each packet once. */
  readonly sent: number;
  readonly retransmitted: number;
  /** NAK packets that came, and packets that they told of. */
  readonly lossReports: number;
  readonly lossesReported: number;
  /** Never acknowledged in time. */
  readonly expired: number;
  readonly unacknowledged: number;
  /** As the listener measures it; 0 before it tells. */
  readonly rttMs: number;
}

/** An encoder: calls an SRT listener and sends it a stream, live mode, without encryption; sends again what the listener reports lost. */
export class SrtCaller implements AsyncDisposable {
  /** Agreed by both ends. */
  readonly latencyMs: number;
  readonly initialSequence: number;
  /** Why it is over; undefined while it lives. */
  end: SrtEnd | undefined;
  readonly #socket: Socket;
  readonly #socketId: number;
  readonly #peerSocketId: number;
  readonly #startUs: number;
  readonly #packets: SrtSentPackets;
  readonly #naks = new NakReader();
  readonly #waits = new WaitList(() => `SRT caller: ${JSON.stringify(this.statistics)}`);
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #retransmitted = 0;
  #lossReports = 0;
  #lossesReported = 0;
  #rttUs = 0;
  #rttVarianceUs = 0;
  #heardUs: number;
  #spokeUs: number;
  #tailUs = -Infinity;

  private constructor(call: SrtCall, { peerSocketId, latencyMs }: SrtAgreement) {
    this.#socket = call.socket;
    this.#socketId = call.socketId;
    this.#startUs = call.startUs;
    this.#peerSocketId = peerSocketId;
    this.latencyMs = latencyMs;
    this.initialSequence = call.initialSequence;
    this.#packets = new SrtSentPackets(call.initialSequence, latencyMs);
    this.#heardUs = this.#spokeUs = srtNowUs();
    call.socket.on('message', (datagram) => this.#onDatagram(datagram));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** @throws SrtRefusedError; Error when nobody answers */
  static async connect(options: SrtCallerOptions): Promise<SrtCaller> {
    const { address = '127.0.0.1', port, timeoutMs = CONNECT_TIMEOUT_MS } = options;
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: SOCKET_BUFFER_BYTES });
    // Nobody listens yet: asked again.
    socket.on('error', () => {});
    socket.connect(port, address);
    await once(socket, 'connect');
    const call = new SrtCall(socket, options);
    try {
      return new SrtCaller(call, await call.agree(timeoutMs));
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  get statistics(): SrtCallerStatistics {
    return {
      sent: this.#sent,
      retransmitted: this.#retransmitted,
      lossReports: this.#lossReports,
      lossesReported: this.#lossesReported,
      expired: this.#packets.expired,
      unacknowledged: this.#packets.unacknowledged,
      rttMs: this.#rttUs / 1000,
    };
  }

  /** Sends one packet now. Returns its sequence number. Throws RangeError above 1316 bytes, Error when the session is over. */
  send(payload: Uint8Array): number {
    if (payload.length > SRT_LIVE_PAYLOAD_BYTES)
      throw new RangeError(`${payload.length} bytes: too much for live mode`);
    if (this.end !== undefined) throw new Error(`the SRT session is over: ${this.end}`);
    const nowUs = srtNowUs();
    const sequence = this.#packets.nextSequence;
    const datagram = new Uint8Array(SRT_HEADER_BYTES + payload.length);
    this.#sent += 1;
    writeDataHeader(viewOf(datagram), 0, sequence, this.#sent, this.#timestampUs(nowUs), this.#peerSocketId);
    datagram.set(payload, SRT_HEADER_BYTES);
    this.#packets.add(datagram, nowUs);
    this.#send(datagram, nowUs);
    return sequence;
  }

  /** Resolves when all that was sent is acknowledged or has expired. */
  drained(options: WaitOptions = {}): Promise<unknown> {
    const isDrained = (): boolean => this.#packets.unacknowledged === 0 || this.end !== undefined;
    return this.#waits.until(isDrained, { what: 'acknowledgement of all that was sent', ...options });
  }

  /** Resolves when the session is over. */
  ended(options: WaitOptions = {}): Promise<SrtEnd> {
    return this.#waits.until(() => this.end, { what: 'the end of the SRT session', ...options });
  }

  /** Tells the listener that it is over. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.end === undefined) {
      const out = new Uint8Array(SHUTDOWN_BYTES);
      writeShutdown(out, this.#peerSocketId, this.#timestampUs(srtNowUs()));
      await new Promise<void>((resolve) => this.#socket.send(out, () => resolve()));
      this.#finish('closed');
    }
  }

  #onDatagram(datagram: Buffer): void {
    if (this.end !== undefined) return;
    const view = viewOf(datagram);
    const { length } = datagram;
    const nowUs = srtNowUs();
    const kind = srtKind(view, 0, length);
    // An answer to the handshake that comes again says nothing new.
    if (kind === SrtKind.unknown || kind === SrtKind.handshake) return;
    if (destinationSocketId(view, 0) !== this.#socketId) return;
    this.#heardUs = nowUs;
    if (kind === SrtKind.ack) this.#onAck(view, length, nowUs);
    else if (kind === SrtKind.nak) this.#onNak(view, length, nowUs);
    else if (kind === SrtKind.shutdown) this.#finish('closed-by-peer');
    this.#waits.changed();
  }

  #onAck(view: DataView, length: number, nowUs: number): void {
    this.#packets.acknowledge(acknowledgedSequence(view, 0));
    if (isLightAck(view, 0, length)) return;
    this.#rttUs = ackRttUs(view, 0, length);
    this.#rttVarianceUs = ackRttVarianceUs(view, 0, length);
    if (length >= FULL_ACK_BYTES) this.#sendControl(SrtControlType.ackack, ackNumber(view, 0), nowUs);
  }

  /** What was sent again less than a round trip ago is on its way, and the report is older. */
  #onNak(view: DataView, length: number, nowUs: number): void {
    this.#lossReports += 1;
    const notSinceUs = nowUs - Math.max(this.#rttUs - 4 * this.#rttVarianceUs, 0);
    this.#naks.begin(view, 0, length);
    while (this.#naks.next()) {
      const { first, last } = this.#naks;
      for (let sequence = first; ; sequence = nextSequence(sequence)) {
        this.#lossesReported += 1;
        this.#sendAgain(sequence, nowUs, notSinceUs);
        if (sequence === last) break;
      }
    }
  }

  #sendAgain(sequence: number, nowUs: number, notSinceUs: number): void {
    const datagram = this.#packets.again(sequence, nowUs, notSinceUs);
    if (datagram === undefined) return;
    this.#retransmitted += 1;
    this.#send(datagram, nowUs);
  }

  #tick(): void {
    if (this.end !== undefined) return;
    const nowUs = srtNowUs();
    this.#packets.expire(nowUs);
    const quietUs = TAIL_US + (this.#rttUs === 0 ? FIRST_RTT_US : this.#rttUs + 4 * this.#rttVarianceUs);
    const { last } = this.#packets;
    // No report can come of the last packet: the listener does not know that there is one.
    if (last !== undefined && nowUs - Math.max(this.#spokeUs, this.#tailUs) >= quietUs) {
      this.#tailUs = nowUs;
      this.#sendAgain(last, nowUs, nowUs);
    }
    if (nowUs - this.#spokeUs >= KEEPALIVE_US) this.#sendControl(SrtControlType.keepalive, 0, nowUs);
    if (nowUs - this.#heardUs >= PEER_IDLE_US) this.#finish('peer-silent');
    this.#waits.changed();
  }

  #sendControl(type: number, information: number, nowUs: number): void {
    const out = new Uint8Array(SHUTDOWN_BYTES);
    writeControlHeader(viewOf(out), 0, type, information, this.#timestampUs(nowUs), this.#peerSocketId);
    this.#send(out, nowUs);
  }

  #send(datagram: Uint8Array, nowUs: number): void {
    this.#spokeUs = nowUs;
    this.#socket.send(datagram);
  }

  #finish(end: SrtEnd): void {
    this.end = end;
    clearInterval(this.#timer);
    this.#socket.close();
    this.#waits.changed();
  }

  #timestampUs(nowUs: number): number {
    return (nowUs - this.#startUs) >>> 0;
  }
}
