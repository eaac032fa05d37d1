/** Windows are counted in thousandths of a packet, as everybody in this protocol does. */
export const WINDOW_UNIT = 1000;
const WINDOW_MIN = 1 * WINDOW_UNIT;
const WINDOW_START = 20 * WINDOW_UNIT;
const WINDOW_MAX = 60 * WINDOW_UNIT;
/** Off for each packet that was reported lost. */
const WINDOW_LOSS_STEP = 100;
/** On for each of its own packets that was acknowledged while the window was full; one more comes from `rise`. */
const WINDOW_FULL_STEP = 29;

/**
 * - `closed`: not registered, or refused; a registration is tried now and then.
 * - `joining`: REG2 is out, REG3 is awaited.
 * - `live`: it takes data.
 */
export type LinkState = 'closed' | 'joining' | 'live';

/** One path to the receiver, as the sender sees it. */
export class SenderLink {
  readonly index: number;
  state: LinkState = 'closed';
  window = WINDOW_START;
  /** The last sign of life: anything but a refusal. */
  heardUs = -Infinity;
  /** When the registration packet went out whose answer is awaited. */
  askedUs = -Infinity;
  keepaliveUs = -Infinity;
  /** By the last keepalive that came back; -1 before the first. */
  rttMs = -1;
  /** Too much of what it carried is unproven: it takes no new data until it proves itself. */
  suspect = false;
  suspectedUs = -Infinity;
  /**
   * Packets since it last proved that it delivers, and when the first of them went out. A loss that SRT reports takes a packet out of
   * flight, but proves nothing, so these are counted apart.
   */
  unproven = 0;
  unprovenSinceUs = -Infinity;
  packets = 0;
  bytes = 0;
  naks = 0;

  constructor(index: number) {
    this.index = index;
  }

  onSent(length: number, nowUs: number): void {
    this.packets += 1;
    this.bytes += length;
    if (this.unproven === 0) this.unprovenSinceUs = nowUs;
    this.unproven += 1;
  }

  /** Something that it alone carried has arrived, or it has brought back a keepalive. */
  onProof(): void {
    this.unproven = 0;
  }

  /** One of its packets was acknowledged by SRTLA; `inFlight` without it. */
  onAcknowledged(inFlight: number): void {
    if (inFlight * WINDOW_UNIT > this.window) this.window = Math.min(this.window + WINDOW_FULL_STEP, WINDOW_MAX);
  }

  /** Every live link, for each packet that was acknowledged on any. */
  rise(): void {
    this.window = Math.min(this.window + 1, WINDOW_MAX);
  }

  onLoss(): void {
    this.naks += 1;
    this.window = Math.max(this.window - WINDOW_LOSS_STEP, WINDOW_MIN);
  }

  /** How much room there is for one more packet: the link with the highest takes it. */
  score(inFlight: number): number {
    return Math.floor(this.window / (inFlight + 1));
  }

  /** It has failed; when it returns it begins small. */
  close(): void {
    this.state = 'closed';
    this.suspect = false;
    this.unproven = 0;
    this.window = WINDOW_MIN;
    this.rttMs = -1;
    this.askedUs = -Infinity;
  }
}
