/** Time constant of the current bitrate. */
const CURRENT_US = 250_000;

/** What a link has carried, and what of it was so in the last second. */
export class LinkMeter {
  /** SRT datagrams, and all that went out by it. */
  packets = 0;
  bytes = 0;
  receivedBytes = 0;
  /** Packets that it is known to have delivered, and that the SRT server reported lost. */
  delivered = 0;
  naks = 0;
  /** Of the last interval. */
  bitrateBps = 0;
  deliveredBps = 0;
  sentPackets = 0;
  lostPackets = 0;
  /** Of late: over a quarter of a second or so. */
  currentBps = 0;
  #sampleUs = -Infinity;
  #sampledBytes = 0;
  #tickUs = -Infinity;
  #packets = 0;
  #bytes = 0;
  #delivered = 0;
  #naks = 0;

  /** Several times a second. */
  sample(nowUs: number): void {
    const us = nowUs - this.#sampleUs;
    if (us <= 0) return;
    const weight = 1 - Math.exp(-us / CURRENT_US);
    this.currentBps += (((this.bytes - this.#sampledBytes) * 8e6) / us - this.currentBps) * weight;
    this.#sampleUs = nowUs;
    this.#sampledBytes = this.bytes;
  }

  /** Ends an interval. */
  tick(nowUs: number): void {
    const seconds = (nowUs - this.#tickUs) / 1e6;
    const bytes = this.bytes - this.#bytes;
    this.sentPackets = this.packets - this.#packets;
    this.lostPackets = this.naks - this.#naks;
    if (seconds > 0 && seconds < Infinity) {
      this.bitrateBps = (bytes * 8) / seconds;
      const arrivedShare = this.sentPackets === 0 ? 0 : (this.delivered - this.#delivered) / this.sentPackets;
      this.deliveredBps = this.bitrateBps * Math.min(arrivedShare, 1);
    }
    this.#tickUs = nowUs;
    this.#packets = this.packets;
    this.#bytes = this.bytes;
    this.#delivered = this.delivered;
    this.#naks = this.naks;
  }

  /** Bytes of a packet, about. */
  get meanBytes(): number {
    return this.packets === 0 ? 0 : this.bytes / this.packets;
  }
}
