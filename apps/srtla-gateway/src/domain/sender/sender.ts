import {
  GROUP_ID_BYTES,
  NakReader,
  SENDER_HALF_BYTES,
  SRTLA_TYPE_BYTES,
  SrtKind,
  SrtlaType,
  TIMED_KEEPALIVE_BYTES,
  ackCount,
  ackSequence,
  acknowledgedSequence,
  callerLatencyMs,
  dataSequence,
  isRetransmitted,
  isSrtla,
  isWholeRegistration,
  keepaliveTimeMs,
  nextSequence,
  parseHandshake,
  srtKind,
  srtLengthWithoutPadding,
  srtlaType,
  writeRegistration,
  writeTimedKeepalive,
} from '@mediaplane/srtla';
import type { HandshakeOptions } from '@mediaplane/srtla';
import { SenderLink } from './link.ts';
import { Failover } from './failover.ts';
import { PacketRing } from './packet-ring.ts';
import { SenderCounters } from './sender-parts.ts';
import type { LinkLostReason, SenderParts } from './sender-parts.ts';
import { NO_LINK, NO_SEQUENCE, SendLog } from './send-log.ts';

const LINK_TIMEOUT_US = 4e6;
const REGISTRATION_TIMEOUT_US = 4e6;
/** Between tries of a link that is not live. */
const RETRY_US = 1e6;
const KEEPALIVE_US = 1e6;
const TICK_US = 200_000;
/** Answers to probes may still be under way so long after the id has become known: they are not about that id. */
const LATE_ANSWERS_US = 1e6;
/** Places of the log and of the ring: 0.4 s of 10,000 packets a second. */
const LOG_PLACES = 4096;
export const RING_BYTES = PacketRing.bytes(LOG_PLACES);
const MAX_RTT_MS = 10_000;
/** Taken off scores, which are 60,000 at the most. */
const SECOND_CHOICE = 100_000;
const LAST_RESORT = 1_000_000;

/**
 * The sending end of SRTLA in its classic way: registers its links with a receiver, gives each packet of the encoder to the link with
 * the most room, and learns from acknowledgements and losses how much room each has. SRT datagrams go through as they are.
 */
export class Sender {
  readonly links: readonly SenderLink[];
  readonly counters = new SenderCounters();
  readonly #parts: SenderParts;
  readonly #log: SendLog;
  readonly #naks = new NakReader();
  /** As far as it is known: the receiver's half is ours until REG2 has brought its own. */
  #id: Uint8Array;
  #registered = false;
  #registeredUs = -Infinity;
  /** REG1 is out by this link, and REG2 is awaited. */
  #asking: SenderLink | undefined;
  #tickUs = -Infinity;
  readonly #ring: PacketRing;
  readonly #failover: Failover;
  /** Of the encoder's handshake, until the server has answered. */
  #callerOptions: HandshakeOptions | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.links = Array.from({ length: parts.links }, (_, index) => new SenderLink(index));
    this.#log = new SendLog(LOG_PLACES, parts.links);
    this.#id = parts.newId();
    this.#ring = new PacketRing(parts.bytes, parts.ring, LOG_PLACES);
    this.#failover = new Failover({
      links: this.links,
      log: this.#log,
      ring: this.#ring,
      output: parts.output,
      events: parts.events,
      counters: this.counters,
      select: () => this.#select(NO_LINK),
      keepAlive: (link, nowUs, intervalUs) => this.#keepAlive(link, nowUs, intervalUs),
    });
  }

  /** Of the SRT session, as its handshake says. */
  get latencyMs(): number {
    return this.#failover.latencyMs;
  }

  inFlight(link: SenderLink): number {
    return this.#log.inFlight(link.index);
  }

  get nextDueUs(): number {
    return this.#tickUs + TICK_US;
  }

  /** A datagram of the encoder. */
  onEncoderDatagram(offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.counters.malformed += 1;
      return;
    }
    const isData = kind === SrtKind.data;
    const sequence = isData ? dataSequence(view, offset) : NO_SEQUENCE;
    // What was lost on a link has better chances on another.
    const avoided = isData && isRetransmitted(view, offset) ? this.#log.carrier(sequence) : NO_LINK;
    const link = this.#select(avoided);
    if (link === undefined) {
      this.counters.noLink += 1;
      return;
    }
    if (isData) {
      // A place of the ring belongs to the packet that has the same place of the log.
      if (this.#log.sent(sequence, link.index, nowUs)) this.#ring.keep(sequence, offset, length);
    } else if (kind === SrtKind.handshake) {
      this.#callerOptions = parseHandshake(view, offset, length)?.options ?? this.#callerOptions;
    }
    link.onSent(length, nowUs);
    output.toReceiver(link, offset, length);
    this.#failover.onPacket(nowUs);
  }

  /** A datagram that came to a link's socket from the receiver. */
  onLinkDatagram(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { view } = this.#parts;
    if (isSrtla(view, offset, length)) this.#onSrtla(link, offset, length, nowUs);
    else this.#onSrt(link, offset, length, nowUs);
  }

  /** Registration, keepalives and time-outs. Call it at `nextDueUs`, or whenever. */
  onDeadline(nowUs: number): void {
    if (nowUs < this.nextDueUs) return;
    this.#tickUs = nowUs;
    for (const link of this.links) {
      if (link.state === 'live' && nowUs - link.heardUs >= LINK_TIMEOUT_US) this.#drop(link, 'silent');
    }
    if (this.#asking !== undefined && nowUs - this.#asking.askedUs >= REGISTRATION_TIMEOUT_US) this.#asking = undefined;
    for (const link of this.links) {
      if (link.state === 'live') this.#keepAlive(link, nowUs);
      else if (this.#asking === undefined) this.#join(link, nowUs);
    }
  }

  /** The link with the most room, of equals the first; one that is suspect or `avoided` only if there is no other. */
  #select(avoided: number): SenderLink | undefined {
    let best: SenderLink | undefined;
    let bestScore = -Infinity;
    for (const link of this.links) {
      if (link.state !== 'live') continue;
      const room = link.score(this.#log.inFlight(link.index));
      const score = room - (link.suspect ? LAST_RESORT : 0) - (link.index === avoided ? SECOND_CHOICE : 0);
      if (score <= bestScore) continue;
      best = link;
      bestScore = score;
    }
    return best;
  }

  /** REG2: with the id of our group it joins it; with one that nobody knows it asks whether there is a receiver. */
  #join(link: SenderLink, nowUs: number): void {
    const waitUs = link.state === 'joining' ? REGISTRATION_TIMEOUT_US : RETRY_US;
    if (nowUs - link.askedUs < waitUs) return;
    link.state = this.#registered ? 'joining' : 'closed';
    this.#register(link, SrtlaType.reg2, nowUs);
  }

  #register(link: SenderLink, type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2, nowUs: number): void {
    const { bytes, output, scratch } = this.#parts;
    link.askedUs = nowUs;
    output.control(link, scratch, writeRegistration(bytes, scratch, type, this.#id));
  }

  #keepAlive(link: SenderLink, nowUs: number, intervalUs = KEEPALIVE_US): void {
    if (nowUs - link.keepaliveUs < intervalUs) return;
    const { view, output, scratch } = this.#parts;
    link.keepaliveUs = nowUs;
    // A time of 0 would be none.
    writeTimedKeepalive(view, scratch, Math.floor(nowUs / 1000) + 1);
    output.control(link, scratch, TIMED_KEEPALIVE_BYTES);
  }

  #onSrtla(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { view } = this.#parts;
    switch (srtlaType(view, offset)) {
      case SrtlaType.ack:
        return this.#onAck(link, offset, length, nowUs);
      case SrtlaType.keepalive:
        return this.#onKeepalive(link, offset, length, nowUs);
      case SrtlaType.reg2:
        return this.#onReg2(link, offset, length, nowUs);
      case SrtlaType.reg3:
        return this.#onReg3(link, nowUs);
      case SrtlaType.regNoGroup:
        return this.#onNoGroup(link, nowUs);
      case SrtlaType.regError:
      case SrtlaType.regRefused:
        return this.#onRefused(link, nowUs);
      default:
        this.counters.unexpected += 1;
    }
  }

  #onAck(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { view } = this.#parts;
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    // It tells of data that came by this link, and has come back by it.
    link.onProof();
    for (let i = 0; i < ackCount(length); i += 1) {
      const owner = this.#log.arrived(ackSequence(view, offset, i));
      if (owner === NO_LINK) continue;
      this.links[owner].onAcknowledged(this.#log.inFlight(owner));
      for (const each of this.links) if (each.state === 'live') each.rise();
    }
  }

  #onKeepalive(link: SenderLink, offset: number, length: number, nowUs: number): void {
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    const sentMs = keepaliveTimeMs(this.#parts.view, offset, length);
    // One that the receiver began has no time, or one of its own.
    const rttMs = Math.floor(nowUs / 1000) + 1 - sentMs;
    if (sentMs <= 0 || rttMs < 0 || rttMs > MAX_RTT_MS) return;
    link.rttMs = rttMs;
    if (!link.suspect) link.onProof();
    // Asked after it was suspected, it has answered: both its ways are open.
    else if (sentMs * 1000 > link.suspectedUs) this.#failover.recover(link);
  }

  #onReg2(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { bytes } = this.#parts;
    const at = offset + SRTLA_TYPE_BYTES;
    if (!isWholeRegistration(length)) {
      this.counters.malformed += 1;
      return;
    }
    if (link !== this.#asking || !this.#id.subarray(0, SENDER_HALF_BYTES).every((byte, i) => byte === bytes[at + i])) {
      this.counters.unexpected += 1;
      return;
    }
    this.#id = bytes.slice(at, at + GROUP_ID_BYTES);
    this.#registered = true;
    this.#registeredUs = nowUs;
    this.#asking = undefined;
    for (const each of this.links) {
      each.state = 'joining';
      this.#register(each, SrtlaType.reg2, nowUs);
    }
  }

  #onReg3(link: SenderLink, nowUs: number): void {
    if (link.state !== 'joining') {
      this.counters.unexpected += 1;
      return;
    }
    link.state = 'live';
    link.heardUs = nowUs;
    this.#parts.events.linkUp(link);
    this.#keepAlive(link, nowUs);
  }

  /** No sign of life: a link that is only told off would else look alive. */
  #onNoGroup(link: SenderLink, nowUs: number): void {
    if (this.#asking !== undefined) return;
    if (this.#registered) {
      if (link.state !== 'joining' || nowUs - this.#registeredUs < LATE_ANSWERS_US) return;
      if (this.links.some((each) => each.state === 'live')) {
        link.close();
        return;
      }
      this.#loseGroup();
    }
    this.#asking = link;
    this.#register(link, SrtlaType.reg1, nowUs);
  }

  #onRefused(link: SenderLink, nowUs: number): void {
    this.counters.refusals += 1;
    if (link === this.#asking) this.#asking = undefined;
    if (link.state === 'live') this.#drop(link, 'refused');
    else link.close();
    link.askedUs = nowUs;
  }

  /** The receiver does not know our group any more, and no link works: a new one. */
  #loseGroup(): void {
    this.#registered = false;
    this.#id = this.#parts.newId();
    for (const each of this.links) {
      if (each.state === 'live') this.#drop(each, 'group-lost');
      else each.close();
    }
  }

  #drop(link: SenderLink, reason: LinkLostReason): void {
    this.#failover.forget(link);
    link.close();
    this.#log.forgetLink(link.index);
    this.#parts.events.linkDown(link, reason);
  }

  #onSrt(link: SenderLink, offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.counters.malformed += 1;
      return;
    }
    if (link.state !== 'live') return;
    link.heardUs = nowUs;
    if (kind === SrtKind.ack) this.#log.acknowledgeBelow(acknowledgedSequence(view, offset));
    else if (kind === SrtKind.nak) this.#onNak(offset, length);
    else if (kind === SrtKind.handshake) this.#onServerHandshake(offset, length);
    // Some receivers fill short datagrams with zeros; an encoder takes those of a NAK for losses.
    output.toEncoder(offset, srtLengthWithoutPadding(view, offset, length));
  }

  #onServerHandshake(offset: number, length: number): void {
    const answer = parseHandshake(this.#parts.view, offset, length)?.options;
    if (answer && this.#callerOptions) this.#failover.latencyMs = callerLatencyMs(this.#callerOptions, answer);
  }

  #onNak(offset: number, length: number): void {
    const naks = this.#naks;
    naks.begin(this.#parts.view, offset, length);
    while (naks.next()) {
      for (let sequence = naks.first; ; sequence = nextSequence(sequence)) {
        const owner = this.#log.settle(sequence);
        if (owner !== NO_LINK) this.links[owner].onLoss();
        if (sequence === naks.last) break;
      }
    }
  }
}
