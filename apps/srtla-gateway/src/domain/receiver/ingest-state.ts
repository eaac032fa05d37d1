import type { AddressWords } from '@mediaplane/net';
import { ExtensionType } from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';

/** Who said no to an encoder: the rules (a verdict), the gateway by itself (nobody decided, no server answered), or the SRT server. */
export type RefusedBy = 'verdict' | 'gateway' | 'server';

/** Who ended an SRT session. `silence`: the encoder said nothing more. `gateway`: on command, or for another server. */
export type IngestEnd = 'encoder' | 'server' | 'silence' | 'gateway';

/** An SRT session that the server has accepted. */
export class SrtStream {
  readonly callerSocketId: number;
  readonly serverSocketId: number;
  readonly latencyMs: number;
  /** When its encoder was heard last. */
  heardUs: number;
  /** What it began with; null for one that is resumed. */
  readonly conclusion: Conclusion | null;

  constructor(
    callerSocketId: number,
    serverSocketId: number,
    latencyMs: number,
    conclusion: Conclusion | null,
    nowUs: number,
  ) {
    this.callerSocketId = callerSocketId;
    this.serverSocketId = serverSocketId;
    this.latencyMs = latencyMs;
    this.conclusion = conclusion;
    this.heardUs = nowUs;
  }
}

/** What an encoder asks for: kept whole, for it may have to be sent when it comes no more, or again as it was. */
export class Conclusion {
  readonly handshake: Handshake;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The sender's end of the link that brought it first. */
  readonly address: AddressWords;

  constructor(handshake: Handshake, bytes: Uint8Array<ArrayBuffer>, address: AddressWords) {
    this.handshake = handshake;
    this.bytes = bytes;
    this.address = address;
  }

  get streamId(): string | null {
    return this.handshake.streamId;
  }

  get isEncrypted(): boolean {
    return this.handshake.extensions.some(({ type }) => type === ExtensionType.keyMaterialRequest);
  }

  /** What the encoder asks for; 0 when it does not say. */
  get latencyMs(): number {
    return this.handshake.options?.senderDelayMs ?? 0;
  }
}

/**
 * How far a handshake is. `passing`: between encoder and server, the gateway looks on. `asked`: a verdict is awaited. `inducting`: the
 * server is asked for its cookie. `concluding`: the server has the conclusion.
 */
export type AttemptStage = 'passing' | 'asked' | 'inducting' | 'concluding';

/** A handshake that is under way. */
export class IngestAttempt {
  readonly callerSocketId: number;
  /** Tells requests for a verdict apart; 0 for none. */
  readonly request: number;
  /** null while only an induction came. */
  conclusion: Conclusion | null;
  stage: AttemptStage;
  /** When it is given up. */
  dueUs = Infinity;
  /** When the encoder was heard first; where rules decide, with its conclusion. */
  readonly begunUs: number;
  /** The server has said something, or its silence was told. */
  isAnswered = false;
  /** When the gateway sent to the server for it last. */
  sentUs = -Infinity;

  constructor(
    callerSocketId: number,
    request: number,
    stage: AttemptStage,
    conclusion: Conclusion | null,
    nowUs: number,
  ) {
    this.callerSocketId = callerSocketId;
    this.request = request;
    this.stage = stage;
    this.conclusion = conclusion;
    this.begunUs = nowUs;
  }
}

/** A refusal that answers whoever comes with the same stream id again. */
export interface RememberedRefusal {
  readonly streamId: string | null;
  readonly reason: number;
  readonly untilUs: number;
}

const BUDGET_BURST = 10;
const BUDGET_INTERVAL_US = 0.5e6;

/**
 * What one group may ask and tell of its handshakes, and how many sessions may come to stand in it: encoders that are refused come back at
 * once, and anybody may make them up.
 */
export class IngestBudget {
  /** When it is full again. */
  #fullAtUs = -Infinity;

  /** Whether `admit` would refuse. */
  isSpent(nowUs: number): boolean {
    return this.#fullAtUs > nowUs + (BUDGET_BURST - 1) * BUDGET_INTERVAL_US;
  }

  admit(nowUs: number): boolean {
    if (this.isSpent(nowUs)) return false;
    this.#fullAtUs = Math.max(this.#fullAtUs, nowUs) + BUDGET_INTERVAL_US;
    return true;
  }
}
