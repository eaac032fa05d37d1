/** How fast the packet rate is forgotten. */
const RATE_MEMORY_US = 50_000;
/** A pause pays for itself when it saves at least this many wake-ups. */
const WORTHWHILE_PACKETS = 2;

/**
 * Decides how long a media thread pauses between passes, so that under load one wake-up serves several datagrams
 * (250 us halve the CPU per packet at 50,000 packets/s: ARCHITECTURE.md, "Coalescing"). It never pauses when packets are
 * rare, when a backlog shows, or for longer than the latency budget.
 */
export class WakeCoalescer {
  readonly #budgetUs: number;
  readonly #batchCapacity: number;
  #packetsPerUs = 0;
  #lastUs: number;
  #pauseUs = 0;

  /** @param budgetUs the most latency that may be added to a datagram; 0 turns coalescing off. */
  constructor(budgetUs: number, batchCapacity: number, nowUs: number) {
    this.#budgetUs = budgetUs;
    this.#batchCapacity = batchCapacity;
    this.#lastUs = nowUs;
  }

  /** What the last pass saw: `received` datagrams, and whether more were waiting. */
  observe(received: number, backlog: boolean, nowUs: number): void {
    const elapsedUs = Math.max(nowUs - this.#lastUs, 1);
    this.#lastUs = nowUs;
    const weight = Math.min(elapsedUs / RATE_MEMORY_US, 1);
    this.#packetsPerUs += (received / elapsedUs - this.#packetsPerUs) * weight;
    if (received === 0 || backlog || received >= this.#batchCapacity) {
      this.#pauseUs = 0;
      return;
    }
    // Half a batch at the most may gather meanwhile: a full one would mean that the thread is already behind.
    const longestUs = Math.min(this.#budgetUs, this.#batchCapacity / 2 / this.#packetsPerUs);
    this.#pauseUs = this.#packetsPerUs * longestUs >= WORTHWHILE_PACKETS ? longestUs : 0;
  }

  /** How long to sleep before the next receive; `dueInUs`: when the next timer is due. */
  pauseUs(dueInUs: number): number {
    return Math.min(this.#pauseUs, Math.max(dueInUs, 0));
  }
}
