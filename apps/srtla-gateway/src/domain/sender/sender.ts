import { SrtKind, dataSequence, isRetransmitted, parseHandshake, srtKind } from '@mediaplane/srtla';
import type { AddressWords } from '@mediaplane/net';
import { Answers } from './answers.ts';
import { DuplicateBudget } from './duplicate-budget.ts';
import { Encoder } from './encoder.ts';
import { Failover } from './failover.ts';
import { Keepalives } from './keepalives.ts';
import { LinkCare } from './link-care.ts';
import { MAX_LINKS } from './link-settings.ts';
import type { LinkSettings } from './link-settings.ts';
import { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import type { SchedulingMode } from './options.ts';
import { PASS_BYTES, PacketRing } from './packet-ring.ts';
import { Registration } from './registration.ts';
import { Resender } from './resender.ts';
import { Scheduler } from './scheduler.ts';
import { SendLog } from './send-log.ts';
import { SenderCounters } from './sender-parts.ts';
import type { LinkLostReason, SenderParts } from './sender-parts.ts';

const LINK_TIMEOUT_US = 4e6;
/** Links are looked after this often; while a stream runs, more often, for its last packets may be in a link that has died. */
const IDLE_TICK_US = 200_000;
const BUSY_TICK_US = 50_000;
const BUSY_US = 2e6;
/** Not run for so long, much longer than it takes between ticks, it was the machine that stalled, or we. */
const STALL_US = 0.5e6;

/**
 * The sending end of SRTLA: registers its links with a receiver, gives each packet of the encoder to a link, and learns from
 * acknowledgements and losses how much room each has. SRT datagrams go through as they are.
 */
export class Sender {
  readonly counters = new SenderCounters();
  readonly encoder: Encoder;
  readonly #parts: SenderParts;
  readonly #links = new LinkTable();
  readonly #log: SendLog;
  readonly #ring: PacketRing;
  readonly #scheduler: Scheduler;
  readonly #registration: Registration;
  readonly #keepalives: Keepalives;
  readonly #failover: Failover;
  readonly #care: LinkCare;
  readonly #answers: Answers;
  readonly #budget = new DuplicateBudget();
  #tickUs = -Infinity;
  #awakeUs = -Infinity;
  /** The last packet of the encoder. */
  #packetUs = -Infinity;
  #preciousUntilUs = -Infinity;
  #isLinkless = false;

  constructor(parts: SenderParts) {
    const ringBytes = PacketRing.bytesFor(parts.options.maxBitrateBps);
    const places = PacketRing.placesFor(ringBytes);
    const links = this.#links;
    this.#parts = parts;
    this.#log = new SendLog(places, MAX_LINKS);
    this.#ring = new PacketRing(parts.bytes, parts.ring, ringBytes, places, PASS_BYTES);
    this.#scheduler = new Scheduler(links, this.#log);
    this.#keepalives = new Keepalives(parts, this.#log);
    this.#care = new LinkCare(links, this.#log, this.#scheduler, parts.events);
    this.#care.setMode(parts.options.mode);
    this.#registration = new Registration(parts, links, this.counters, {
      joined: (link, nowUs) => this.#join(link, nowUs),
      lost: (link, reason, nowUs) => this.#drop(link, reason, nowUs),
    });
    const resender = new Resender({
      links,
      log: this.#log,
      ring: this.#ring,
      output: parts.output,
      counters: this.counters,
      select: (avoided, nowUs) => this.#scheduler.select(avoided, nowUs),
    });
    this.#failover = new Failover({
      links,
      log: this.#log,
      resender,
      events: parts.events,
      probe: (link, nowUs, intervalUs) => this.#keepalives.send(link, nowUs, intervalUs),
    });
    this.encoder = new Encoder(parts.events, () => {
      this.#log.clear();
      resender.stop();
    });
    this.#answers = new Answers(parts, {
      links,
      log: this.#log,
      counters: this.counters,
      encoder: this.encoder,
      registration: this.#registration,
      keepalives: this.#keepalives,
      failover: this.#failover,
    });
  }

  get links(): readonly SenderLink[] {
    return this.#links.all;
  }

  get isRegistered(): boolean {
    return this.#registration.isRegistered;
  }

  get mode(): SchedulingMode {
    return this.#care.mode;
  }

  inFlight(link: SenderLink): number {
    return this.#log.inFlight(link.index);
  }

  get nextDueUs(): number {
    return this.#tickUs + (this.#tickUs - this.#packetUs < BUSY_US ? BUSY_TICK_US : IDLE_TICK_US);
  }

  setMode(mode: SchedulingMode): void {
    this.#care.setMode(mode);
  }

  /** What comes until then is precious: it goes out twice, as far as the budget goes. */
  onKeyFrames(untilUs: number): void {
    this.#preciousUntilUs = Math.max(this.#preciousUntilUs, untilUs);
  }

  /** @throws UplinkError `link-limit`, `link-exists` */
  addLink(index: number, settings: LinkSettings): void {
    this.#links.add(index, settings);
    this.#care.update();
  }

  /** @throws UplinkError `no-such-link` */
  updateLink(index: number, settings: LinkSettings, nowUs: number): void {
    const link = this.#links.require(index);
    link.settings = settings;
    if (!settings.enabled) this.#close(link, 'disabled', nowUs);
    this.#care.update();
    this.#registration.onTick(nowUs);
  }

  /** @throws UplinkError `no-such-link` */
  removeLink(index: number, nowUs: number): void {
    const link = this.#links.require(index);
    this.#close(link, 'removed', nowUs);
    this.#links.remove(link);
    this.#care.update();
  }

  /** The link has a socket to send from; it may have had another. Undefined when there is no such link. */
  openPath(index: number, nowUs: number): SenderLink | undefined {
    const link = this.#links.get(index);
    if (link === undefined) return undefined;
    this.#close(link, 'no-path', nowUs);
    link.hasPath = true;
    link.refused = false;
    this.#registration.onTick(nowUs);
    return link;
  }

  closePath(link: SenderLink, nowUs: number): void {
    link.hasPath = false;
    this.#close(link, 'no-path', nowUs);
  }

  /** The kernel refused `count` sends by the link's socket. */
  onSendFailures(link: SenderLink, count: number, nowUs: number): void {
    link.failedSends += count;
    this.#failover.onSendFailures(link, count, nowUs);
    this.#failover.onProgress(this.encoder.latencyMs, nowUs);
  }

  /** A datagram that came to the socket that encoders send to. */
  onEncoderDatagram(offset: number, length: number, from: AddressWords, nowUs: number): void {
    const { view } = this.#parts;
    this.#wake(nowUs);
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) this.counters.malformed += 1;
    else if (this.encoder.admit(from, kind, nowUs)) this.#onSrt(kind, offset, length, nowUs);
  }

  /** A datagram that came to a link's socket from the receiver. */
  onLinkDatagram(link: SenderLink, offset: number, length: number, nowUs: number): void {
    this.#wake(nowUs);
    this.#answers.onDatagram(link, offset, length, nowUs);
    this.#failover.onProgress(this.encoder.latencyMs, nowUs);
  }

  /** Registration, keepalives and time-outs. Call it at `nextDueUs`, or whenever. */
  onDeadline(nowUs: number): void {
    if (nowUs < this.nextDueUs) return;
    this.#wake(nowUs);
    this.#tickUs = nowUs;
    for (const link of this.links) {
      if (link.state === 'live' && nowUs - link.heardUs >= LINK_TIMEOUT_US) this.#drop(link, 'silent', nowUs);
    }
    this.#registration.onTick(nowUs);
    for (const link of this.#links.live) this.#keepalives.send(link, nowUs);
    this.encoder.onTick(nowUs);
    this.#care.onTick(this.encoder.latencyMs, nowUs);
    this.#failover.onProgress(this.encoder.latencyMs, nowUs);
  }

  /** Time in which nothing was read is nobody's silence: what came meanwhile is still to be read. */
  #wake(nowUs: number): void {
    const sinceUs = nowUs - this.#awakeUs;
    this.#awakeUs = nowUs;
    if (sinceUs < STALL_US || sinceUs === Infinity) return;
    for (const link of this.#links.live) link.onStall(sinceUs, nowUs);
    this.encoder.onStall(sinceUs);
  }

  #onSrt(kind: SrtKind, offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    this.#care.refresh(nowUs);
    this.counters.packets += 1;
    this.counters.bytes += length;
    this.#packetUs = nowUs;
    if (kind === SrtKind.data) {
      this.#onData(offset, length, nowUs);
    } else {
      if (kind === SrtKind.handshake) {
        const handshake = parseHandshake(view, offset, length);
        if (handshake !== null) this.encoder.onHandshake(handshake);
      }
      const link = this.#select(0, nowUs);
      if (link === undefined) return;
      link.onUnprovenSent(length, nowUs);
      output.toReceiver(link, offset, length);
      if (kind === SrtKind.shutdown) this.encoder.onShutdown();
    }
    this.#failover.onProgress(this.encoder.latencyMs, nowUs);
  }

  #onData(offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    const sequence = dataSequence(view, offset);
    const isAgain = isRetransmitted(view, offset);
    if (isAgain) this.counters.retransmitted += 1;
    this.#budget.onPacket();
    // What was lost on a link has better chances on another.
    const avoided = isAgain ? this.#log.carriers(sequence) : 0;
    const link = this.#select(avoided, nowUs);
    if (link === undefined) return;
    // A place of the ring belongs to the packet that has the same place of the log.
    const ordinal = link.onSent(length, nowUs);
    if (this.#log.sent(sequence, link.index, nowUs, ordinal)) this.#ring.keep(sequence, offset, length);
    output.toReceiver(link, offset, length);
    if (isAgain || nowUs < this.#preciousUntilUs) this.#duplicate(link, sequence, offset, length, avoided, nowUs);
  }

  /** A second copy by the next best link, if that is any good and is not one of `avoided`. */
  #duplicate(
    first: SenderLink,
    sequence: number,
    offset: number,
    length: number,
    avoided: number,
    nowUs: number,
  ): void {
    const { takers } = this.#links;
    if (takers.length < 2) return;
    const link = this.#scheduler.select(avoided | (1 << first.index), nowUs);
    if (link === undefined || link === first || link.suspect || ((avoided >> link.index) & 1) !== 0) return;
    if (!this.#budget.take()) return;
    this.#log.alsoSent(sequence, link.index);
    this.counters.duplicates += 1;
    link.onUnprovenSent(length, nowUs);
    this.#parts.output.toReceiver(link, offset, length);
  }

  /** The link for a datagram of the encoder; where there is none it is dropped, and that is told once. */
  #select(avoided: number, nowUs: number): SenderLink | undefined {
    const link = this.#scheduler.select(avoided, nowUs);
    if (link !== undefined) {
      this.#isLinkless = false;
      return link;
    }
    this.counters.noLink += 1;
    if (!this.#isLinkless) this.#parts.events.noLink();
    this.#isLinkless = true;
    return undefined;
  }

  #join(link: SenderLink, nowUs: number): void {
    link.open(nowUs);
    this.#log.restartLink(link.index, link.sent);
    this.#care.update();
    this.#parts.events.linkUp(link);
    this.#keepalives.send(link, nowUs);
  }

  #close(link: SenderLink, reason: LinkLostReason, nowUs: number): void {
    this.#registration.forget(link);
    if (link.state === 'live') this.#drop(link, reason, nowUs);
    else link.close();
  }

  #drop(link: SenderLink, reason: LinkLostReason, nowUs: number): void {
    link.close();
    this.#care.update();
    this.#failover.onLost(link, nowUs);
    this.#parts.events.linkDown(link, reason);
  }
}
