import { HandshakeType, RejectionReason } from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';
import type { Group, Link } from './group.ts';
import { IngestAttempt } from './ingest-state.ts';
import { Ingest } from './ingest.ts';

/** libsrt's callers try for 3 s. */
const UNANSWERED_US = 2e6;

/**
 * Where all streams go to one server: handshakes pass between encoder and server as they are, the server decides. The gateway looks on
 * to learn who is accepted. A server that is away is silence to the encoder, which tries again; the first that it answers is let in.
 */
export class PassingIngest extends Ingest {
  override onEncoderHandshake(link: Link, offset: number, length: number, nowUs: number): void {
    const { group } = link;
    const handshake = this.read(offset, length);
    if (handshake === null) return;
    const { socketId, type } = handshake;
    if (type !== HandshakeType.induction && type !== HandshakeType.conclusion) return this.dropped(link);
    if (group.stream?.callerSocketId !== socketId) {
      if (group.attempt?.callerSocketId !== socketId) {
        if (group.sessionBudget.isSpent(nowUs)) return this.dropped(link);
        group.attempt = new IngestAttempt(socketId, 0, 'passing', null, nowUs);
        this.endIfGone(group, nowUs);
      } else if (!group.attempt.isAnswered && nowUs - group.attempt.begunUs >= UNANSWERED_US) {
        group.attempt.isAnswered = true;
        this.parts.events.ingestUnanswered(group);
      }
      if (type === HandshakeType.conclusion && !this.#conclude(group.attempt, handshake, link, offset, length)) {
        return this.reject(link, handshake, RejectionReason.rogue);
      }
    }
    this.parts.output.toServer(group, offset, length);
  }

  override verdict(): boolean {
    return false;
  }

  /** Nothing is waited for: as long as the encoder tries, its handshakes pass. */
  override onDeadline(): void {}

  protected override onCookie(
    group: Group,
    _attempt: IngestAttempt,
    _answer: Handshake,
    offset: number,
    length: number,
  ): void {
    this.toEncoder(group, offset, length);
  }

  /** Returns false when the same socket has asked for something else before: what the server accepts must be what we tell. */
  #conclude(attempt: IngestAttempt, handshake: Handshake, link: Link, offset: number, length: number): boolean {
    if (attempt.conclusion !== null) return attempt.conclusion.streamId === handshake.streamId;
    attempt.conclusion = this.keep(handshake, link, offset, length);
    return true;
  }
}
