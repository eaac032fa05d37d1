import {
  HandshakeType,
  RejectionReason,
  setCookie,
  writeInductionRequest,
  writeInductionResponse,
} from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';
import type { Group, Link } from './group.ts';
import { hashWords } from './hash.ts';
import { IngestAttempt } from './ingest-state.ts';
import type { Conclusion } from './ingest-state.ts';
import { Ingest } from './ingest.ts';

/** The encoder repeats itself every 250 ms, over several links perhaps; what the gateway sends for it follows at this distance. */
const REPEAT_US = 100_000;

/**
 * Where rules decide by the stream id, which comes only with the conclusion: the gateway plays the server for the induction, holds the
 * conclusion until there is a verdict, then plays the encoder for an induction with the server that was chosen, and sends the conclusion
 * on with that one's cookie; the session is between encoder and server from then on, key exchange and all.
 *
 *     encoder            gateway                    control side             server
 *     induction     ->   cookie of ours
 *     conclusion    ->   ingest-request        ->   opens the upstream
 *                        verdict               <-
 *                        induction in its name                           ->  cookie
 *                        the conclusion, with that cookie                ->  accepted or refused
 *     answer        <-                                                   <-
 */
export class DecidingIngest extends Ingest {
  #requests = 0;

  override onEncoderHandshake(link: Link, offset: number, length: number, nowUs: number): void {
    const { group } = link;
    const handshake = this.read(offset, length);
    if (handshake === null) return;
    const { socketId, type } = handshake;
    if (type === HandshakeType.induction) return this.#answerInduction(link, handshake);
    if (type !== HandshakeType.conclusion) return this.dropped(link);
    const { attempt, stream } = group;
    const isUnderWay = attempt?.callerSocketId === socketId;
    const before = isUnderWay ? attempt.conclusion : stream?.callerSocketId === socketId ? stream.conclusion : null;
    const isOther = before !== null && before.streamId !== handshake.streamId;
    if (isOther || handshake.cookie !== this.#cookieOf(group, socketId)) {
      return this.reject(link, handshake, RejectionReason.rogue);
    }
    if (isUnderWay) this.#pursue(group, attempt, nowUs);
    else if (before !== null) this.#sendConclusion(group, before);
    else this.#ask(link, handshake, offset, length, nowUs);
  }

  override verdict(group: Group, request: number, reason: number | null, nowUs: number): boolean {
    const { attempt } = group;
    if (attempt === null || attempt.request !== request || attempt.stage !== 'asked') return false;
    const { conclusion } = attempt;
    if (conclusion === null) return false;
    if (reason === null) {
      this.endIfGone(group, nowUs);
      attempt.stage = 'inducting';
      attempt.dueUs = attempt.begunUs + this.parts.options.serverTimeoutUs;
      this.#pursue(group, attempt, nowUs);
    } else {
      const untilUs = nowUs + this.parts.options.refusalMemoryUs;
      group.refusal = { streamId: conclusion.streamId, reason, untilUs };
      this.#rejectLater(group, conclusion, reason);
      this.refused(group, conclusion, reason, 'verdict');
    }
    return true;
  }

  override onDeadline(nowUs: number): void {
    this.nextDueUs = Infinity;
    for (const group of this.registry.groups.values()) {
      const { attempt } = group;
      if (attempt === null) continue;
      if (attempt.dueUs <= nowUs) this.#giveUp(group, attempt);
      else this.nextDueUs = Math.min(this.nextDueUs, attempt.dueUs);
    }
  }

  protected override onCookie(
    group: Group,
    attempt: IngestAttempt,
    answer: Handshake,
    _offset: number,
    _length: number,
    nowUs: number,
  ): void {
    const { conclusion, stage } = attempt;
    if (conclusion === null || stage !== 'inducting') return;
    setCookie(new DataView(conclusion.bytes.buffer), 0, answer.cookie);
    attempt.stage = 'concluding';
    attempt.sentUs = -Infinity;
    this.#pursue(group, attempt, nowUs);
  }

  #answerInduction(link: Link, request: Handshake): void {
    const { output, memory } = this.parts;
    const cookie = this.#cookieOf(link.group, request.socketId);
    output.toLinkNow(link, memory.reply, writeInductionResponse(this.out(), request, cookie, 0));
  }

  #ask(link: Link, handshake: Handshake, offset: number, length: number, nowUs: number): void {
    const { group } = link;
    const { refusal } = group;
    if (refusal !== null && refusal.streamId === handshake.streamId && nowUs < refusal.untilUs) {
      this.counters.refusalRepeats += 1;
      return this.reject(link, handshake, refusal.reason);
    }
    if (!group.ingestBudget.admit(nowUs)) return this.dropped(link);
    const conclusion = this.keep(handshake, link, offset, length);
    const attempt = new IngestAttempt(handshake.socketId, ++this.#requests, 'asked', conclusion, nowUs);
    attempt.dueUs = nowUs + this.parts.options.verdictTimeoutUs;
    this.nextDueUs = Math.min(this.nextDueUs, attempt.dueUs);
    group.attempt = attempt;
    this.parts.events.ingestRequest(group, attempt, conclusion);
  }

  /** Sends the server what the attempt waits for an answer to. */
  #pursue(group: Group, attempt: IngestAttempt, nowUs: number): void {
    const { conclusion, stage } = attempt;
    if (conclusion === null || nowUs - attempt.sentUs < REPEAT_US) return;
    if (stage === 'inducting') this.#sendInduction(group, conclusion);
    else if (stage === 'concluding') this.#sendConclusion(group, conclusion);
    else return;
    attempt.sentUs = nowUs;
  }

  #sendInduction(group: Group, { handshake }: Conclusion): void {
    const { output, memory } = this.parts;
    output.toServerNow(group, memory.reply, writeInductionRequest(this.out(), handshake, 0));
  }

  #sendConclusion(group: Group, { bytes }: Conclusion): void {
    const { output, memory } = this.parts;
    this.parts.bytes.set(bytes, memory.reply);
    output.toServerNow(group, memory.reply, bytes.length);
  }

  #giveUp(group: Group, { stage, conclusion }: IngestAttempt): void {
    if (conclusion === null) return;
    const reason = stage === 'asked' ? RejectionReason.down : RejectionReason.gateway;
    this.#rejectLater(group, conclusion, reason);
    this.refused(group, conclusion, reason, 'gateway');
  }

  /** By the link that it was heard on last. */
  #rejectLater({ freshest }: Group, { handshake }: Conclusion, reason: number): void {
    if (freshest !== undefined) this.reject(freshest, handshake, reason);
  }

  /** Not secret: whoever sends here is a link that has registered. It tells conclusions of now from those of before a restart. */
  #cookieOf({ serial }: Group, socketId: number): number {
    return (hashWords(this.parts.seed, serial, socketId, 0, 0) | 1) >>> 0;
  }
}
