/** How fast the packet rate is forgotten. */
const RATE_MEMORY_US = 50_000;
/** A pause pays for itself when it saves at least this many wake-ups. */
const WORTHWHILE_PACKETS = 2;

/** A shorter rest of the interval is not slept: going to sleep and waking cost as much. */
const SHORTEST_SLEEP_US = 50;

/**
 * Decides how long a media thread pauses between passes, so that under load one wake-up serves several datagrams
 * (250 us halve the CPU per packet at 50,000 packets/s: ARCHITECTURE.md, "Coalescing"). What it holds to is the interval from
 * receive to receive: datagrams gather while others are served, so a thread that is busy or behind pauses less, or not at all.
 * It never pauses when packets are rare, when a socket has more than a pass takes, or for longer than the latency budget.
 */
export class WakeCoalescer {
  readonly #budgetUs: number;
  readonly #batchCapacity: number;
  #packetsPerUs = 0;
  #lastUs: number;
  #intervalUs = 0;

  /** @param budgetUs the most latency that may be added to a datagram; 0 turns coalescing off. */
  constructor(budgetUs: number, batchCapacity: number, nowUs: number) {
    this.#budgetUs = budgetUs;
    this.#batchCapacity = batchCapacity;
    this.#lastUs = nowUs;
  }

  /** What a receive that ended at `nowUs` brought: `received` datagrams, and whether more are known to wait. */
  observe(received: number, backlog: boolean, nowUs: number): void {
    const elapsedUs = Math.max(nowUs - this.#lastUs, 1);
    this.#lastUs = nowUs;
    const weight = Math.min(elapsedUs / RATE_MEMORY_US, 1);
    this.#packetsPerUs += (received / elapsedUs - this.#packetsPerUs) * weight;
    if (received === 0 || backlog || received >= this.#batchCapacity) {
      this.#intervalUs = 0;
      return;
    }
    // Half a batch at the most may gather meanwhile: a full one would mean that the thread is already behind.
    const longestUs = Math.min(this.#budgetUs, this.#batchCapacity / 2 / this.#packetsPerUs);
    this.#intervalUs = this.#packetsPerUs * longestUs >= WORTHWHILE_PACKETS ? longestUs : 0;
  }

  /** How long to sleep before the next receive; `dueUs`: when the next timer is due. */
  pauseUs(dueUs: number, nowUs: number): number {
    const pauseUs = Math.min(this.#lastUs + this.#intervalUs, dueUs) - nowUs;
    return pauseUs >= SHORTEST_SLEEP_US ? pauseUs : 0;
  }
}
