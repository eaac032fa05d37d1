/**
 * Keeps an encoder's datagrams in order on sockets of several links. What is queued on a socket leaves as one run of datagrams of one
 * length, the runs in the order of their first datagrams (`PacketIo.queue`): so a link that comes again after another did, or another
 * length on the link at hand, would overtake what waits on others. An SRT server that is not told to wait (`lossmaxttl`) takes any
 * other order for losses. Runs that are full are none of its business: a pass queues fewer datagrams than a run holds.
 */
export class SendOrder {
  /** Bits of the links, by number, on which something waits. */
  #waiting = 0;
  #link = -1;
  #bytes = 0;

  /** All that waited has left. */
  flushed(): void {
    this.#waiting = 0;
  }

  /** Takes a datagram for a link. Returns whether what waits has to leave first. */
  next(link: number, bytes: number): boolean {
    const bit = 1 << link;
    const comesAgain = link !== this.#link && (this.#waiting & bit) !== 0;
    const breaksRun = link === this.#link && bytes !== this.#bytes && (this.#waiting & ~bit) !== 0;
    const overtakes = comesAgain || breaksRun;
    this.#waiting = overtakes ? bit : this.#waiting | bit;
    this.#link = link;
    this.#bytes = bytes;
    return overtakes;
  }
}
