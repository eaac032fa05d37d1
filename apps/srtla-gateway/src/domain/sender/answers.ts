import {
  NakReader,
  SrtKind,
  SrtlaType,
  ackCount,
  ackSequence,
  acknowledgedSequence,
  isSrtla,
  nextSequence,
  parseHandshake,
  srtKind,
  srtLengthWithoutPadding,
  srtlaType,
} from '@mediaplane/srtla';
import { AnswerFilter } from './answer-filter.ts';
import type { Encoder } from './encoder.ts';
import type { Failover } from './failover.ts';
import type { Keepalives } from './keepalives.ts';
import type { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { Registration } from './registration.ts';
import type { SendLog } from './send-log.ts';
import type { SenderCounters, SenderParts } from './sender-parts.ts';

export interface AnswersParts {
  readonly links: LinkTable;
  readonly log: SendLog;
  readonly counters: SenderCounters;
  readonly encoder: Encoder;
  readonly registration: Registration;
  readonly keepalives: Keepalives;
  readonly failover: Failover;
}

/** What comes from the receiver by the links: SRTLA's own, which ends here, and what the SRT server says to the encoder. */
export class Answers {
  readonly #sender: SenderParts;
  readonly #parts: AnswersParts;
  readonly #filter = new AnswerFilter();
  readonly #naks = new NakReader();

  constructor(sender: SenderParts, parts: AnswersParts) {
    this.#sender = sender;
    this.#parts = parts;
  }

  onDatagram(link: SenderLink, offset: number, length: number, nowUs: number): void {
    link.meter.receivedBytes += length;
    if (isSrtla(this.#sender.view, offset, length)) this.#onSrtla(link, offset, length, nowUs);
    else this.#onAnswer(link, offset, length, nowUs);
  }

  #onSrtla(link: SenderLink, offset: number, length: number, nowUs: number): void {
    switch (srtlaType(this.#sender.view, offset)) {
      case SrtlaType.ack:
        return this.#onAck(link, offset, length, nowUs);
      case SrtlaType.keepalive:
        return this.#onKeepalive(link, offset, length, nowUs);
      case SrtlaType.reg2:
        return this.#parts.registration.onReg2(link, offset, length, nowUs);
      case SrtlaType.reg3:
        return this.#parts.registration.onReg3(link, nowUs);
      case SrtlaType.regNoGroup:
        return this.#parts.registration.onNoGroup(link, nowUs);
      case SrtlaType.regError:
        return this.#parts.registration.onRefused(link, false, nowUs);
      case SrtlaType.regRefused:
        return this.#parts.registration.onRefused(link, true, nowUs);
      default:
        this.#parts.counters.unexpected += 1;
    }
  }

  /** It tells of data that came by this link, and has come back by it. */
  #onAck(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { view } = this.#sender;
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    const { log, links } = this.#parts;
    const { live } = links;
    const count = ackCount(length);
    if (count > 0) {
      // The last of its numbers is the packet that made the receiver send it.
      const rttMs = log.echoMs(ackSequence(view, offset, count - 1), link.index, nowUs);
      if (rttMs >= 0) link.onRoundTrip(rttMs, nowUs);
    }
    for (let i = 0; i < count; i += 1) {
      const sequence = ackSequence(view, offset, i);
      log.arrivedBy(sequence, link.index);
      const owner = log.arrived(sequence);
      for (let j = 0; j < live.length; j += 1) {
        const each = live[j];
        if (each.index === owner) each.onAcknowledged(log.inFlight(owner));
        if (owner >= 0) each.rise();
      }
    }
  }

  #onKeepalive(link: SenderLink, offset: number, length: number, nowUs: number): void {
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    const sentUs = this.#parts.keepalives.onEcho(link, offset, length, nowUs);
    if (sentUs >= 0) this.#parts.failover.onEcho(link, sentUs, nowUs);
  }

  #onAnswer(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { bytes, view, output } = this.#sender;
    const { counters, encoder, log } = this.#parts;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      counters.malformed += 1;
      return;
    }
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    if (!encoder.isAddressee(view, offset)) {
      counters.answersOfOthers += 1;
      return;
    }
    if (kind === SrtKind.ack || kind === SrtKind.nak) {
      if (this.#filter.isCopy(bytes, view, offset, length, nowUs)) {
        counters.answerCopies += 1;
        return;
      }
      if (kind === SrtKind.ack) log.acknowledgeBelow(acknowledgedSequence(view, offset));
      else this.#onNak(offset, length, nowUs);
    } else if (kind === SrtKind.handshake) {
      const answer = parseHandshake(view, offset, length);
      if (answer !== null) encoder.onAnswer(answer);
    }
    counters.answers += 1;
    // Some receivers fill short datagrams with zeros; an encoder takes those of a NAK for losses.
    if (encoder.isSet) output.toEncoder(offset, srtLengthWithoutPadding(view, offset, length));
    if (kind === SrtKind.shutdown) encoder.onShutdown();
  }

  #onNak(offset: number, length: number, nowUs: number): void {
    const naks = this.#naks;
    naks.begin(this.#sender.view, offset, length);
    while (naks.next()) {
      for (let sequence = naks.first; ; sequence = nextSequence(sequence)) {
        const owner = this.#parts.log.settle(sequence);
        if (owner >= 0) this.#parts.links.get(owner)?.onLoss(nowUs);
        if (sequence === naks.last) break;
      }
    }
  }
}
