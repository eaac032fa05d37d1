import { MAX_DATAGRAM_BYTES, plainAddress } from '@mediaplane/net';
import {
  HandshakeType,
  callerLatencyMs,
  parseHandshake,
  rejectionReason,
  writeRejection,
  writeShutdown,
} from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';
import type { Group, Link } from './group.ts';
import { Conclusion, SrtStream } from './ingest-state.ts';
import type { IngestAttempt, IngestEnd, RefusedBy } from './ingest-state.ts';
import type { ReceiverCounters, ReceiverParts } from './receiver-parts.ts';
import type { Registry } from './registry.ts';

/** An encoder that is silent this long has gone; libsrt sends something every second. */
const ENCODER_GONE_US = 2e6;

/**
 * Lets SRT sessions in: follows the handshake (draft-sharabayko-srt-01, section 4.3.1) of each group, until its server has accepted it,
 * and again when the encoder begins anew. What is refused is told so, for an encoder that hears nothing tries for 3 s. How the encoder's
 * handshakes get to the server is told apart in `PassingIngest` and `DecidingIngest`.
 */
export abstract class Ingest {
  /** Of the attempt that is given up first. */
  nextDueUs = Infinity;
  protected readonly parts: ReceiverParts;
  protected readonly registry: Registry;
  protected readonly counters: ReceiverCounters;

  constructor(parts: ReceiverParts, registry: Registry, counters: ReceiverCounters) {
    this.parts = parts;
    this.registry = registry;
    this.counters = counters;
  }

  abstract onEncoderHandshake(link: Link, offset: number, length: number, nowUs: number): void;

  /** Answers a request. `reason`: null accepts, else a RejectionReason. Returns whether it still stood. */
  abstract verdict(group: Group, request: number, reason: number | null, nowUs: number): boolean;

  /** Gives up what has waited too long. */
  abstract onDeadline(nowUs: number): void;

  /** The server's answer to an induction; it is for the encoder of `attempt`. */
  protected abstract onCookie(
    group: Group,
    attempt: IngestAttempt,
    answer: Handshake,
    offset: number,
    length: number,
    nowUs: number,
  ): void;

  onServerHandshake(group: Group, offset: number, length: number, nowUs: number): void {
    const handshake = this.read(offset, length);
    if (handshake === null) return;
    const { attempt, stream } = group;
    const to = handshake.destinationSocketId;
    if (attempt?.callerSocketId === to) this.#onAnswer(group, attempt, handshake, offset, length, nowUs);
    else if (stream?.callerSocketId === to) this.toEncoder(group, offset, length);
    else this.#drop(group);
  }

  /** Ends the session that stands; says so to both ends, unless one of them has. Returns whether one stood. */
  end(group: Group, by: IngestEnd, nowUs: number): boolean {
    const { stream } = group;
    if (stream === null) return false;
    group.stream = null;
    group.streamEndedUs = nowUs;
    if (by === 'gateway' || by === 'silence') {
      const { output, memory } = this.parts;
      output.toServerNow(group, memory.reply, writeShutdown(this.out(), stream.serverSocketId, 0));
      const length = writeShutdown(this.out(), stream.callerSocketId, 0);
      for (const link of group.links) output.toLinkNow(link, memory.reply, length);
    }
    this.parts.events.ingestEnded(group, by);
    return true;
  }

  /** Ends sessions whose encoder has gone without a word. */
  reap(nowUs: number): void {
    for (const group of this.registry.groups.values()) {
      if (group.stream !== null && nowUs - group.stream.heardUs >= this.parts.options.groupTimeoutUs) {
        this.end(group, 'silence', nowUs);
      }
    }
  }

  /** null, and counted, when it cannot be read. */
  protected read(offset: number, length: number): Handshake | null {
    const handshake = parseHandshake(this.parts.view, offset, length);
    if (handshake === null) this.counters.malformed += 1;
    return handshake;
  }

  /** What the encoder asks for, kept. */
  protected keep(handshake: Handshake, link: Link, offset: number, length: number): Conclusion {
    const bytes = this.parts.bytes.slice(offset, offset + length);
    return new Conclusion(handshake, new Uint8Array(bytes), plainAddress(link.origin));
  }

  /** A server that takes one caller at a time, or one of a name, would refuse the one that comes while it waits for the one that has gone. */
  protected endIfGone(group: Group, nowUs: number): void {
    if (group.stream !== null && nowUs - group.stream.heardUs >= ENCODER_GONE_US) this.end(group, 'silence', nowUs);
  }

  protected toEncoder(group: Group, offset: number, length: number): void {
    const { freshest } = group;
    if (freshest !== undefined) this.parts.output.toLink(freshest, offset, length);
  }

  /** Tells the encoder that it is refused, where it asked. */
  protected reject(link: Link, request: Handshake, reason: number): void {
    const { output, memory } = this.parts;
    output.toLinkNow(link, memory.reply, writeRejection(this.out(), request, reason, 0));
  }

  /** The attempt has failed. */
  protected refused(group: Group, conclusion: Conclusion, reason: number, by: RefusedBy): void {
    group.attempt = null;
    this.parts.events.ingestRefused(group, conclusion, reason, by);
  }

  /** Where one datagram is written that leaves at once: at `memory.reply`. */
  protected out(): Uint8Array {
    const { bytes, memory } = this.parts;
    return bytes.subarray(memory.reply, memory.reply + MAX_DATAGRAM_BYTES);
  }

  protected dropped(link: Link): void {
    link.group.tally.notAccepted += 1;
    this.counters.notAccepted += 1;
  }

  #drop(group: Group): void {
    group.tally.serverNotAccepted += 1;
    this.counters.notAccepted += 1;
  }

  #onAnswer(
    group: Group,
    attempt: IngestAttempt,
    answer: Handshake,
    offset: number,
    length: number,
    nowUs: number,
  ): void {
    const { conclusion, stage } = attempt;
    const reason = rejectionReason(answer);
    attempt.isAnswered = true;
    if (answer.type === HandshakeType.induction) {
      this.onCookie(group, attempt, answer, offset, length, nowUs);
    } else if (reason !== null) {
      this.toEncoder(group, offset, length);
      if (conclusion === null) group.attempt = null;
      else if (group.ingestBudget.admit(nowUs)) this.refused(group, conclusion, reason, 'server');
      else this.#refusedAgain(group);
    } else if (
      answer.type === HandshakeType.conclusion &&
      conclusion !== null &&
      (stage === 'passing' || stage === 'concluding')
    ) {
      this.toEncoder(group, offset, length);
      this.#accept(group, conclusion, answer, nowUs - attempt.begunUs, nowUs);
    } else {
      this.#drop(group);
    }
  }

  #refusedAgain(group: Group): void {
    group.attempt = null;
    this.counters.refusalRepeats += 1;
  }

  #accept(group: Group, conclusion: Conclusion, answer: Handshake, setupUs: number, nowUs: number): void {
    const { options } = conclusion.handshake;
    const latencyMs = options === null || answer.options === null ? 0 : callerLatencyMs(options, answer.options);
    const stream = new SrtStream(conclusion.handshake.socketId, answer.socketId, latencyMs, conclusion, nowUs);
    group.attempt = null;
    group.sessionBudget.admit(nowUs);
    group.stream = stream;
    this.registry.markAccepted(group);
    for (const { jitter } of group.links) jitter.restart();
    this.parts.events.ingestAccepted(group, stream, conclusion, setupUs);
  }
}
