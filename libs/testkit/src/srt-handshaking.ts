import { randomInt } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  HandshakeType,
  SEQUENCE_MASK,
  SRT_PACKET_MAX_BYTES,
  callerLatencyMs,
  parseHandshake,
  rejectionReason,
  writeConclusion,
  writeInductionRequest,
} from '@mediaplane/srtla';
import type { Handshake, HandshakeOptions } from '@mediaplane/srtla';
import {
  DEFAULT_LATENCY_MS,
  FLOW_WINDOW_PACKETS,
  MAX_SOCKET_ID,
  MTU_BYTES,
  NO_ADDRESS,
  SRT_FLAGS,
  SRT_VERSION,
  srtNowUs,
  viewOf,
} from './srt-settings.ts';

/** How often libsrt repeats a handshake that is not answered. */
const RETRY_MS = 250;

export interface SrtCallerOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  /** What this end asks for; the greater wish of the two ends is agreed. Default 120. */
  readonly latencyMs?: number;
  readonly streamId?: string;
  /** 0 to 2^31 - 1; default random. */
  readonly initialSequence?: number;
  /** Default 3000, as libsrt. */
  readonly timeoutMs?: number;
}

/** The listener refused; `reason` as in RejectionReason. */
export class SrtRefusedError extends Error {
  override readonly name = 'SrtRefusedError';
  readonly reason: number;

  constructor(reason: number) {
    super(`the SRT listener refused: reason ${reason}`);
    this.reason = reason;
  }
}

/** What both ends have agreed on. */
export interface SrtAgreement {
  readonly peerSocketId: number;
  readonly latencyMs: number;
}

/** The handshake (draft-sharabayko-srt-01, section 4.3.1): induction for a cookie, conclusion with it. */
export class SrtCall {
  readonly socket: Socket;
  readonly socketId = randomInt(1, MAX_SOCKET_ID);
  readonly initialSequence: number;
  readonly startUs = srtNowUs();
  readonly #options: SrtCallerOptions;

  constructor(socket: Socket, options: SrtCallerOptions) {
    this.socket = socket;
    this.#options = options;
    this.initialSequence = options.initialSequence ?? randomInt(SEQUENCE_MASK);
  }

  async agree(timeoutMs: number): Promise<SrtAgreement> {
    const out = new Uint8Array(SRT_PACKET_MAX_BYTES);
    const untilMs = performance.now() + timeoutMs;
    const induction = await this.#ask(out, HandshakeType.induction, untilMs, () =>
      writeInductionRequest(out, this.#fields(0), this.#timestampUs()),
    );
    const latencyMs = this.#options.latencyMs ?? DEFAULT_LATENCY_MS;
    const options: HandshakeOptions = {
      isResponse: false,
      srtVersion: SRT_VERSION,
      flags: SRT_FLAGS,
      receiverDelayMs: latencyMs,
      senderDelayMs: latencyMs,
    };
    const conclusion = await this.#ask(out, HandshakeType.conclusion, untilMs, () =>
      writeConclusion(out, this.#fields(induction.cookie), options, this.#options.streamId ?? null),
    );
    const agreed = conclusion.options === null ? latencyMs : callerLatencyMs(options, conclusion.options);
    return { peerSocketId: conclusion.socketId, latencyMs: agreed };
  }

  /** Sends what `write` makes until the answer of that type comes. */
  async #ask(out: Uint8Array, type: number, untilMs: number, write: () => number): Promise<Handshake> {
    const answered = Promise.withResolvers<Handshake>();
    const onMessage = (datagram: Buffer): void => {
      const handshake = parseHandshake(viewOf(datagram), 0, datagram.length);
      if (handshake?.destinationSocketId !== this.socketId) return;
      const reason = rejectionReason(handshake);
      if (reason !== null) answered.reject(new SrtRefusedError(reason));
      else if (handshake.type === type) answered.resolve(handshake);
    };
    this.socket.on('message', onMessage);
    try {
      for (;;) {
        this.socket.send(out.slice(0, write()));
        const answer = await Promise.race([answered.promise, sleep(RETRY_MS)]);
        if (answer !== undefined) return answer;
        if (performance.now() >= untilMs) throw new Error(`no SRT listener answers on port ${this.#options.port}`);
      }
    } finally {
      this.socket.off('message', onMessage);
    }
  }

  #fields(cookie: number) {
    return {
      timestampUs: this.#timestampUs(),
      destinationSocketId: 0,
      initialSequence: this.initialSequence,
      mtuBytes: MTU_BYTES,
      flowWindowPackets: FLOW_WINDOW_PACKETS,
      socketId: this.socketId,
      cookie,
      peerAddress: NO_ADDRESS,
    };
  }

  #timestampUs(): number {
    return (srtNowUs() - this.startUs) >>> 0;
  }
}
