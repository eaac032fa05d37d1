import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  HandshakeType,
  RejectionReason,
  SRT_PACKET_MAX_BYTES,
  destinationSocketId,
  parseHandshake,
  writeConclusion,
  writeInductionResponse,
  writeRejection,
} from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';
import type { SrtDelivery } from './srt-arrivals.ts';
import { SrtSession } from './srt-session.ts';
import {
  DEFAULT_LATENCY_MS,
  FLOW_WINDOW_PACKETS,
  MAX_SOCKET_ID,
  MTU_BYTES,
  NO_ADDRESS,
  SOCKET_BUFFER_BYTES,
  SRT_FLAGS,
  SRT_VERSION,
  srtNowUs,
  viewOf,
} from './srt-settings.ts';
import type { WaitOptions } from './wait-list.ts';
import { WaitList } from './wait-list.ts';

const TICK_MS = 5;

/** Who calls, as its handshake says. */
export interface SrtRequest {
  readonly streamId: string | null;
  readonly address: string;
  readonly port: number;
  /** What the caller asks for. */
  readonly latencyMs: number;
}

export interface SrtListenerOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** What this end asks for; the greater wish of the two ends is agreed. Default 120. */
  readonly latencyMs?: number;
  /** A gap is reported at once when so many packets have come after it; for bonded streams, which overtake themselves. Default 0. */
  readonly reorderPackets?: number;
  /** Returns null for a caller that is let in, or a RejectionReason. Default: everybody is. */
  readonly decide?: (request: SrtRequest) => number | null;
  /** A packet is played, in its order and at its time, to within 5 ms. */
  readonly onPacket?: (packet: SrtDelivery, session: SrtSession) => void;
}

/**
 * An SRT server for any number of callers, live mode, without encryption: plays what they send and tells what it missed. Sessions stay
 * in `sessions` when they are over.
 */
export class SrtListener implements AsyncDisposable {
  readonly port: number;
  /** In the order in which they were accepted. */
  readonly sessions: SrtSession[] = [];
  readonly #socket: Socket;
  readonly #options: SrtListenerOptions;
  readonly #cookie = randomInt(1, 2 ** 32 - 1);
  /** By socket id of ours. */
  readonly #bySocketId = new Map<number, SrtSession>();
  /** By address and socket id of the caller: a conclusion that comes again gets the same answer. */
  readonly #answers = new Map<string, Uint8Array>();
  readonly #waits = new WaitList(
    () => `sessions: ${this.sessions.map(({ end }) => end ?? 'open').join(', ') || 'none'}`,
  );
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  private constructor(socket: Socket, options: SrtListenerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => this.#onDatagram(datagram, from));
    // As on a network: what cannot be sent is lost.
    socket.on('error', () => {});
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  static async listen(options: SrtListenerOptions = {}): Promise<SrtListener> {
    const { address = '127.0.0.1', port = 0 } = options;
    const socket = createSocket({
      type: address.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: SOCKET_BUFFER_BYTES,
      // Callers are known by their addresses, so what is sent leaves at once, also when the socket closes behind it.
      lookup: (literal, { family }, done) => done(null, literal, family === 6 ? 6 : 4),
    });
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
    return new SrtListener(socket, options);
  }

  /** Session `index` in the order of acceptance, there already or to come. */
  session(index = 0, options: WaitOptions = {}): Promise<SrtSession> {
    return this.#waits.until(() => this.sessions[index], { what: `SRT session ${index}`, ...options });
  }

  /** Resolves when `look` finds a session's state as it should be; looks again with everything that happens. */
  until<T>(look: () => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    return this.#waits.until(look, options);
  }

  /** Ends all sessions, with a word to their callers. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    for (const session of this.sessions) session.close(srtNowUs());
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#waits.abandon('the SRT listener is closed');
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    const view = viewOf(datagram);
    const handshake = parseHandshake(view, 0, datagram.length);
    if (handshake !== null) return this.#onHandshake(handshake, from);
    if (datagram.length < 16) return;
    const session = this.#bySocketId.get(destinationSocketId(view, 0));
    // libsrt keeps to the address that the session began with.
    if (session === undefined || session.callerAddress !== from.address || session.callerPort !== from.port) return;
    session.onDatagram(datagram, srtNowUs());
    this.#waits.changed();
  }

  #onHandshake(request: Handshake, from: RemoteInfo): void {
    const out = new Uint8Array(SRT_PACKET_MAX_BYTES);
    const send = (length: number): void => this.#send(out.subarray(0, length), from);
    if (request.type === HandshakeType.induction) {
      return send(writeInductionResponse(out, request, this.#cookie, 0));
    }
    if (request.type !== HandshakeType.conclusion || request.cookie !== this.#cookie) return;
    const key = `${from.address}:${from.port}:${request.socketId}`;
    const answered = this.#answers.get(key);
    if (answered !== undefined) return this.#send(answered, from);
    const length = this.#conclude(out, request, from);
    this.#answers.set(key, out.slice(0, length));
    send(length);
    this.#waits.changed();
  }

  /** Writes what a caller gets that concludes for the first time. */
  #conclude(out: Uint8Array, request: Handshake, { address, port }: RemoteInfo): number {
    const { decide = () => null, latencyMs: own = DEFAULT_LATENCY_MS, reorderPackets = 0, onPacket } = this.#options;
    const { options, streamId } = request;
    if (options === null) return writeRejection(out, request, RejectionReason.rogue, 0);
    if (request.encryption !== 0) return writeRejection(out, request, RejectionReason.unsecure, 0);
    const call = { streamId, address, port, latencyMs: options.senderDelayMs };
    const refusal = decide(call);
    if (refusal !== null) return writeRejection(out, request, refusal, 0);

    const latencyMs = Math.max(own, options.senderDelayMs);
    const socketId = randomInt(1, MAX_SOCKET_ID);
    const session: SrtSession = new SrtSession({
      callerAddress: address,
      callerPort: port,
      callerSocketId: request.socketId,
      socketId,
      streamId,
      latencyMs,
      reorderPackets,
      initialSequence: request.initialSequence,
      startUs: srtNowUs(),
      startTimestampUs: request.timestampUs,
      onPacket: (packet) => onPacket?.(packet, session),
      send: (datagram) => this.#send(datagram, { address, port }),
    });
    this.sessions.push(session);
    this.#bySocketId.set(socketId, session);
    const fields = {
      timestampUs: 0,
      destinationSocketId: request.socketId,
      initialSequence: request.initialSequence,
      mtuBytes: MTU_BYTES,
      flowWindowPackets: FLOW_WINDOW_PACKETS,
      socketId,
      cookie: request.cookie,
      peerAddress: NO_ADDRESS,
    };
    const senderDelayMs = options.receiverDelayMs;
    const answer = {
      isResponse: true,
      srtVersion: SRT_VERSION,
      flags: SRT_FLAGS,
      receiverDelayMs: latencyMs,
      senderDelayMs,
    };
    return writeConclusion(out, fields, answer, null);
  }

  #tick(): void {
    const nowUs = srtNowUs();
    for (const session of this.sessions) session.onTick(nowUs);
    this.#waits.changed();
  }

  #send(datagram: Uint8Array, { address, port }: { address: string; port: number }): void {
    if (!this.#isClosed) this.#socket.send(datagram, port, address);
  }
}
