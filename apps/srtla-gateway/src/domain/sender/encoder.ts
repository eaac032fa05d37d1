import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { HandshakeType, SrtKind, callerLatencyMs, destinationSocketId, rejectionReason } from '@mediaplane/srtla';
import type { Handshake, HandshakeOptions } from '@mediaplane/srtla';
import type { EncoderLostReason, SenderEvents } from './sender-parts.ts';

/** An encoder that says nothing for so long may be followed by another; one that no server has let in yet, when it tries no more. */
const SILENCE_US = 2e6;
/** libsrt's callers repeat a handshake every 250 ms. */
const UNANSWERED_US = 0.3e6;
/** Then its session is over: libsrt's idle time-out. */
const LOST_US = 5e6;
/** libsrt's default, until a handshake has told. */
const DEFAULT_LATENCY_MS = 120;

/** Whose datagrams a sender takes, and what its handshake with the SRT server tells of the session. */
export class Encoder {
  readonly address = new SocketAddress();
  /** Its handshake is complete. */
  isUp = false;
  heardUs = -Infinity;
  /** A packet that is later than this is of no use. */
  latencyMs = DEFAULT_LATENCY_MS;
  streamId: string | null = null;
  /** Datagrams of others. */
  strangers = 0;
  readonly #events: Pick<SenderEvents, 'encoderUp' | 'encoderDown'>;
  readonly #onNewSession: () => void;
  /** Of the encoder's SRT socket; 0 before its handshake. */
  #socketId = 0;
  #options: HandshakeOptions | null = null;
  /** It has said goodbye, or was turned away. */
  #hasLeft = false;
  /** It was up, and fell silent: if it goes on, its session does. */
  #isAsleep = false;

  /** @param onNewSession sequence numbers and answers of before are another session's */
  constructor(events: Pick<SenderEvents, 'encoderUp' | 'encoderDown'>, onNewSession: () => void) {
    this.#events = events;
    this.#onNewSession = onNewSession;
  }

  /** Somebody to send to. */
  get isSet(): boolean {
    return this.address.port !== 0;
  }

  /** Returns whether the datagram is the encoder's; a handshake of another makes that one the encoder where it may. */
  admit(from: AddressWords, kind: SrtKind, nowUs: number): boolean {
    if (!this.address.equals(from)) {
      if (kind !== SrtKind.handshake || !this.#mayBeFollowed(nowUs)) {
        this.strangers += 1;
        return false;
      }
      this.#end('replaced');
      this.address.copyFrom(from);
    }
    this.heardUs = nowUs;
    if (this.#isAsleep && kind !== SrtKind.handshake) this.#begin();
    return true;
  }

  /** Of the encoder. */
  onHandshake({ socketId, options, streamId }: Handshake): void {
    if (socketId !== this.#socketId) {
      this.#end('replaced');
      this.#socketId = socketId;
      this.#hasLeft = false;
      this.#options = null;
      this.streamId = null;
      this.latencyMs = DEFAULT_LATENCY_MS;
      this.#onNewSession();
    }
    this.#options = options ?? this.#options;
    this.streamId = streamId ?? this.streamId;
  }

  /** Of the server, to this session: the agreed latency is in its conclusion. */
  onAnswer(answer: Handshake): void {
    const { type, options } = answer;
    if (rejectionReason(answer) !== null && !this.isUp) this.#hasLeft = true;
    if (type !== HandshakeType.conclusion) return;
    if (options && this.#options) this.latencyMs = callerLatencyMs(this.#options, options);
    if (!this.isUp && !this.#hasLeft) this.#begin();
  }

  /** From either side. */
  onShutdown(): void {
    this.#hasLeft = true;
    this.#end('shutdown');
  }

  /** Whether what the server sent is this session's: one that began anew must not get what was meant for the one before. */
  isAddressee(view: DataView, offset: number): boolean {
    return this.#socketId === 0 || destinationSocketId(view, offset) === this.#socketId;
  }

  /** For so long nobody could hear it. */
  onStall(us: number): void {
    this.heardUs += us;
  }

  onTick(nowUs: number): void {
    if (!this.isUp || nowUs - this.heardUs < LOST_US) return;
    this.#end('silent');
    this.#isAsleep = true;
  }

  #mayBeFollowed(nowUs: number): boolean {
    return !this.isSet || this.#hasLeft || nowUs - this.heardUs >= (this.isUp ? SILENCE_US : UNANSWERED_US);
  }

  #begin(): void {
    this.#isAsleep = false;
    this.isUp = true;
    this.#events.encoderUp(this);
  }

  #end(reason: EncoderLostReason): void {
    this.#isAsleep = false;
    if (!this.isUp) return;
    this.isUp = false;
    this.#events.encoderDown(reason);
  }
}
