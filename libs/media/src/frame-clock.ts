export const FRAME_US = 20_000;
const PHASES = 20;
const PHASE_US = FRAME_US / PHASES;
/** After a stall longer than this, frames are skipped (and counted) instead of sent in a burst. */
const MAX_CATCH_UP_FRAMES = 10;

/**
 * The 20 ms tick of generated audio. Members are spread over 20 phases of 1 ms, so that a thousand playbacks are not a
 * thousand packets at once. A member gets exactly one call per 20 ms of wall time, at its phase, with the nominal time.
 */
export class FrameClock {
  readonly #members: number[][] = Array.from({ length: PHASES }, () => []);
  #phaseOf = new Int8Array(64).fill(-1);
  #positionOf = new Int32Array(64);
  #lastTick = new Float64Array(64);
  #tick: number;
  #size = 0;
  /** Frames that a stalled thread never ran. */
  skipped = 0;

  constructor(nowUs: number) {
    this.#tick = Math.floor(nowUs / PHASE_US);
  }

  get size(): number {
    return this.#size;
  }

  has(member: number): boolean {
    return member < this.#phaseOf.length && this.#phaseOf[member] >= 0;
  }

  /** Joins the emptiest phase; the first frame comes within 20 ms. */
  add(member: number): void {
    if (this.has(member)) return;
    if (member >= this.#phaseOf.length) this.#grow(member + 1);
    let phase = 0;
    for (let i = 1; i < PHASES; i += 1) if (this.#members[i].length < this.#members[phase].length) phase = i;
    this.#phaseOf[member] = phase;
    this.#positionOf[member] = this.#members[phase].push(member) - 1;
    this.#lastTick[member] = this.#tick;
    this.#size += 1;
  }

  remove(member: number): void {
    if (!this.has(member)) return;
    const list = this.#members[this.#phaseOf[member]];
    const position = this.#positionOf[member];
    const moved = list[list.length - 1];
    list[position] = moved;
    this.#positionOf[moved] = position;
    list.length -= 1;
    this.#phaseOf[member] = -1;
    this.#size -= 1;
  }

  /** Calls `frame(member, dueUs)` for all that is due. `frame` may add and remove members, itself too. */
  advance(nowUs: number, frame: (member: number, dueUs: number) => void): void {
    const target = Math.floor(nowUs / PHASE_US);
    if (this.#size === 0) {
      this.#tick = target;
      return;
    }
    const earliest = target - MAX_CATCH_UP_FRAMES * PHASES;
    if (this.#tick < earliest) {
      this.skipped += Math.floor((earliest - this.#tick) / PHASES) * this.#size;
      this.#tick = earliest;
    }
    while (this.#tick < target) {
      this.#tick += 1;
      const tick = this.#tick;
      const list = this.#members[tick % PHASES];
      // Backwards: a removal swaps the last member in, which then has run already (and is known by its last tick).
      for (let i = list.length - 1; i >= 0; i -= 1) {
        if (i >= list.length) continue;
        const member = list[i];
        if (this.#lastTick[member] === tick) continue;
        this.#lastTick[member] = tick;
        frame(member, tick * PHASE_US);
      }
    }
  }

  /** When the next member is due; `nowUs + horizonUs` if none is before that. */
  nextDueUs(nowUs: number, horizonUs: number): number {
    if (this.#size > 0) {
      for (let tick = this.#tick + 1; tick <= this.#tick + PHASES; tick += 1) {
        if (this.#members[tick % PHASES].length > 0) return Math.min(tick * PHASE_US, nowUs + horizonUs);
      }
    }
    return nowUs + horizonUs;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#phaseOf.length * 2);
    const phaseOf = new Int8Array(size).fill(-1);
    phaseOf.set(this.#phaseOf);
    const positionOf = new Int32Array(size);
    positionOf.set(this.#positionOf);
    const lastTick = new Float64Array(size);
    lastTick.set(this.#lastTick);
    this.#phaseOf = phaseOf;
    this.#positionOf = positionOf;
    this.#lastTick = lastTick;
  }
}
