import { SocketAddress } from '@mediaplane/net';
import { LossHistory } from './enhanced/loss-history.ts';
import { RateEstimate } from './enhanced/rate-estimate.ts';
import { WindowRecovery } from './enhanced/window-recovery.ts';
import { LinkMeter } from './link-meter.ts';
import type { LinkSettings } from './link-settings.ts';
import { RttFilter } from './rtt-filter.ts';
import type { WeakReason } from './sender-parts.ts';
import { WINDOW_FULL_STEP, WINDOW_LOSS_STEP, WINDOW_MAX, WINDOW_MIN, WINDOW_START, WINDOW_UNIT } from './window.ts';

/** Packets whose time of sending is known: more than are unproven when a link is found out. */
const UNPROVEN_PLACES = 4096;
/** No limit on packets in flight. */
export const NO_CAP = 1 << 30;

/**
 * - `closed`: not registered, refused, or off; a registration is tried now and then where there is a path.
 * - `joining`: REG2 is out, REG3 is awaited.
 * - `live`: it takes data.
 */
export type LinkState = 'closed' | 'joining' | 'live';

/** One path to the receiver, as the sender sees it. */
export class SenderLink {
  readonly index: number;
  settings: LinkSettings;
  /** There is a socket to send from. */
  hasPath = false;
  state: LinkState = 'closed';
  upUs = -Infinity;
  window = WINDOW_START;
  /** The last sign of life: anything but a refusal. */
  heardUs = -Infinity;
  /** When the registration packet went out whose answer is awaited. */
  askedUs = -Infinity;
  keepaliveUs = -Infinity;
  /** The first since it has said anything that proves it; Infinity when there was none. */
  unansweredUs = Infinity;
  /** `sent` when the last keepalive went out. */
  keepaliveSent = 0;
  /** The receiver has refused it since it last was up. */
  refused = false;
  readonly rtt = new RttFilter();
  readonly meter = new LinkMeter();
  readonly losses = new LossHistory();
  readonly rate = new RateEstimate();
  readonly windowRecovery = new WindowRecovery();
  /** Too much of what it carried is unproven: it takes no new data until it proves itself. */
  suspect = false;
  suspectedUs = -Infinity;
  /** How long the suspicion lasts at least: longer each time that it comes back soon. */
  holdUs = 0;
  recoveredUs = -Infinity;
  /**
   * The number of its last packet, and of the newest that is known to have arrived by it; they wrap. A loss that SRT reports takes a
   * packet out of flight, but proves nothing, so what is unproven is counted apart.
   */
  sent = 0;
  proven = 0;
  /** Of little use; null where it is as good as any. */
  weak: WeakReason | null = null;
  capReached = false;
  failedSends = 0;
  /** Datagrams that came to its socket from another address than the receiver's, and where the last of them came from. */
  strangers = 0;
  readonly stranger = new SocketAddress();
  /** What its score is multiplied by, and the packets that it may have in flight while others may have more: the mode's opinion. */
  factor = 1;
  inFlightCap = NO_CAP;
  /** By number: when it went out, in milliseconds, wrapping. */
  readonly #sentMs = new Int32Array(UNPROVEN_PLACES);
  /** When a proof has come last. */
  #provenMs = 0;
  /** Until then we last stalled. */
  #stalledUs = -Infinity;
  /** Until then it has its `maxBitrateBps`. */
  #busyUntilUs = -Infinity;

  constructor(index: number, settings: LinkSettings) {
    this.index = index;
    this.settings = settings;
  }

  /** It may be registered. */
  get isUsable(): boolean {
    return this.hasPath && this.settings.enabled;
  }

  /** A packet that proves something when it arrives. Returns its number. */
  onSent(length: number, nowUs: number): number {
    this.onUnprovenSent(length, nowUs);
    this.sent = (this.sent + 1) | 0;
    this.#sentMs[this.sent & (UNPROVEN_PLACES - 1)] = (nowUs / 1000) | 0;
    return this.sent;
  }

  /** A datagram whose arrival nobody tells of, or which another link carries too. */
  onUnprovenSent(length: number, nowUs: number): void {
    this.meter.packets += 1;
    this.meter.bytes += length;
    const { maxBitrateBps } = this.settings;
    if (maxBitrateBps > 0) this.#busyUntilUs = Math.max(this.#busyUntilUs, nowUs) + (length * 8e6) / maxBitrateBps;
  }

  /** It has been given all that it may, but for `slackUs` of it. */
  isOverLimit(nowUs: number, slackUs: number): boolean {
    return this.settings.maxBitrateBps > 0 && this.#busyUntilUs - nowUs > slackUs;
  }

  /** Packets since the newest that is known to have arrived. */
  get unproven(): number {
    return (this.sent - this.proven) | 0;
  }

  /** How long one of them is out; `place` 0 is the oldest. */
  unprovenMs(place: number, nowUs: number): number {
    const oldest = this.sent - Math.min(this.unproven, UNPROVEN_PLACES) + 1;
    return (((nowUs / 1000) | 0) - this.#sentMs[(oldest + place) & (UNPROVEN_PLACES - 1)]) | 0;
  }

  /** Since a proof has come, or it was given time to bring one. */
  silentMs(nowUs: number): number {
    return (((nowUs / 1000) | 0) - this.#provenMs) | 0;
  }

  /** It delivers: its packets up to `ordinal` have arrived, or something that was sent after them. Returns whether that is new. */
  onProof(ordinal: number, nowUs: number): boolean {
    if (((ordinal - this.proven) | 0) <= 0) return false;
    this.proven = ordinal;
    this.beginSilence(nowUs);
    return true;
  }

  /** For so long nobody could hear it. */
  onStall(us: number, nowUs: number): void {
    this.heardUs += us;
    this.#stalledUs = nowUs;
    this.beginSilence(nowUs);
  }

  /** Of something that went out by it once, and has come back by it; where a stall of ours fell into that, it measures us. */
  onRoundTrip(ms: number, nowUs: number): void {
    if (nowUs - ms * 1000 >= this.#stalledUs) this.rtt.add(ms);
  }

  beginSilence(nowUs: number): void {
    this.unansweredUs = Infinity;
    this.#provenMs = (nowUs / 1000) | 0;
  }

  /** One of its packets was acknowledged by SRTLA; `inFlight` without it. */
  onAcknowledged(inFlight: number): void {
    if (inFlight * WINDOW_UNIT > this.window) this.widen(WINDOW_FULL_STEP);
  }

  /** Every live link, for each packet that was acknowledged on any. */
  rise(): void {
    if (this.window < WINDOW_MAX) this.window += 1;
  }

  /** By thousandths of a packet. */
  widen(by: number): void {
    this.window = Math.min(this.window + by, WINDOW_MAX);
  }

  onLoss(nowUs: number): void {
    this.meter.naks += 1;
    this.losses.onLoss(nowUs);
    this.window = Math.max(this.window - WINDOW_LOSS_STEP, WINDOW_MIN);
  }

  /** How much room there is for one more packet, in thousandths; WINDOW_UNIT and more is room. The link with the highest takes it. */
  score(inFlight: number): number {
    return Math.floor(this.window / (inFlight + 1));
  }

  /** The sum that its cap is on. */
  get cappedBytes(): number {
    return this.meter.bytes + this.meter.receivedBytes;
  }

  open(nowUs: number): void {
    this.state = 'live';
    this.upUs = nowUs;
    this.heardUs = nowUs;
    this.refused = false;
    this.beginSilence(nowUs);
  }

  /** If it was live it has failed, and begins small when it returns. */
  close(): void {
    if (this.state === 'live') this.#forget();
    this.state = 'closed';
    this.suspect = false;
    this.proven = this.sent;
    this.askedUs = -Infinity;
    this.weak = null;
  }

  /** It was away for a while: it is given little at first. */
  beginSmall(): void {
    this.window = Math.min(this.window, WINDOW_START);
  }

  /** What was known of it is known of its past. */
  #forget(): void {
    this.window = WINDOW_MIN;
    this.rtt.reset();
    this.rate.reset();
    this.losses.reset();
  }
}
