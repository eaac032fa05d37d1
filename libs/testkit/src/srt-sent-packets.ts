import { addSequence, markRetransmitted, nextSequence, sequenceDistance } from '@mediaplane/srtla';
import { viewOf } from './srt-settings.ts';

interface SentPacket {
  readonly datagram: Uint8Array;
  readonly sentUs: number;
  resentUs: number;
}

/** libsrt's sender gives up what is older than the latency, but no less than this, and a bit (SRTO_SNDDROPDELAY). */
const LEAST_KEEP_US = 1e6;
const KEEP_MARGIN_US = 20_000;

/** What a caller has sent and may be asked for again: kept until it is acknowledged, or too old to be played. */
export class SrtSentPackets {
  /** Packets that nobody acknowledged in time. */
  expired = 0;
  #next: number;
  #oldest: number;
  readonly #packets = new Map<number, SentPacket>();
  readonly #keepUs: number;

  constructor(initialSequence: number, latencyMs: number) {
    this.#next = this.#oldest = initialSequence;
    this.#keepUs = Math.max(latencyMs * 1000, LEAST_KEEP_US) + KEEP_MARGIN_US;
  }

  get nextSequence(): number {
    return this.#next;
  }

  /** Packets that are not acknowledged. */
  get unacknowledged(): number {
    return sequenceDistance(this.#oldest, this.#next);
  }

  /** The packet of `nextSequence` goes out. */
  add(datagram: Uint8Array, nowUs: number): void {
    this.#packets.set(this.#next, { datagram, sentUs: nowUs, resentUs: -Infinity });
    this.#next = nextSequence(this.#next);
  }

  /** Everything below `sequence` has arrived. Returns whether that is news; what was never sent cannot have arrived. */
  acknowledge(sequence: number): boolean {
    const count = sequenceDistance(this.#oldest, sequence);
    if (count <= 0 || count > this.unacknowledged) return false;
    for (; this.#oldest !== sequence; this.#oldest = nextSequence(this.#oldest)) this.#packets.delete(this.#oldest);
    return true;
  }

  /** The packet, marked as sent again, unless that was done at `notSinceUs` or later; undefined when it is kept no more. */
  again(sequence: number, nowUs: number, notSinceUs: number): Uint8Array | undefined {
    const packet = this.#packets.get(sequence);
    if (packet === undefined || packet.resentUs >= notSinceUs) return undefined;
    packet.resentUs = nowUs;
    markRetransmitted(viewOf(packet.datagram), 0);
    return packet.datagram;
  }

  /** The last one, when it is not acknowledged: no receiver can miss it, for nothing comes after it. */
  get last(): number | undefined {
    return this.unacknowledged === 0 ? undefined : addSequence(this.#next, -1);
  }

  expire(nowUs: number): void {
    for (; this.#oldest !== this.#next; this.#oldest = nextSequence(this.#oldest)) {
      const oldest = this.#packets.get(this.#oldest);
      if (oldest !== undefined && nowUs - oldest.sentUs < this.#keepUs) return;
      if (this.#packets.delete(this.#oldest)) this.expired += 1;
    }
  }
}
