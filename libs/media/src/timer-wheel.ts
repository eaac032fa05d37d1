const NONE = -1;
/** In the list that `advance` is about to fire. */
const FIRING = -2;
const TICK_US = 1000;
const SLOTS = 8192;

/**
 * One-shot deadlines of many sessions: a hashed wheel of 8192 slots of 1 ms (Varghese and Lauck 1987, scheme 6).
 * `set` and `cancel` are O(1) and allocate nothing; a timer is a small integer (the session's index).
 */
export class TimerWheel {
  #next = new Int32Array(64).fill(NONE);
  #previous = new Int32Array(64).fill(NONE);
  #slotOf = new Int32Array(64).fill(NONE);
  #dueUs = new Float64Array(64);
  readonly #heads = new Int32Array(SLOTS).fill(NONE);
  readonly #firing: number[] = [];
  #tick: number;
  #armed = 0;

  constructor(nowUs: number) {
    this.#tick = Math.floor(nowUs / TICK_US);
  }

  /** Timers that are set. */
  get armed(): number {
    return this.#armed;
  }

  /** Sets `timer` (>= 0) to fire in the first `advance` at or after `dueUs`, at most 1 ms late; replaces its earlier deadline. */
  set(timer: number, dueUs: number): void {
    this.cancel(timer);
    if (timer >= this.#slotOf.length) this.#grow(timer + 1);
    this.#dueUs[timer] = dueUs;
    this.#link(timer, Math.max(Math.ceil(dueUs / TICK_US), this.#tick + 1) & (SLOTS - 1));
    this.#armed += 1;
  }

  cancel(timer: number): void {
    if (timer >= this.#slotOf.length) return;
    const slot = this.#slotOf[timer];
    if (slot === NONE) return;
    if (slot !== FIRING) this.#unlink(timer, slot);
    this.#slotOf[timer] = NONE;
    this.#armed -= 1;
  }

  /** Calls `fire` for each timer that is due; `fire` may set and cancel any timer, its own too. */
  advance(nowUs: number, fire: (timer: number) => void): void {
    const target = Math.floor(nowUs / TICK_US);
    if (target <= this.#tick) return;
    const first = Math.max(this.#tick + 1, target - SLOTS + 1);
    this.#tick = target;
    if (this.#armed === 0) return;
    const firing = this.#firing;
    for (let tick = first; tick <= target; tick += 1) {
      const slot = tick & (SLOTS - 1);
      for (let timer = this.#heads[slot]; timer !== NONE;) {
        const next = this.#next[timer];
        if (this.#dueUs[timer] <= nowUs) {
          this.#unlink(timer, slot);
          this.#slotOf[timer] = FIRING;
          firing.push(timer);
        }
        timer = next;
      }
    }
    for (let i = 0; i < firing.length; i += 1) {
      const timer = firing[i];
      if (this.#slotOf[timer] !== FIRING) continue;
      this.#slotOf[timer] = NONE;
      this.#armed -= 1;
      fire(timer);
    }
    // Setting a length leaves compiled code, and mostly there is nothing to clear.
    if (firing.length > 0) firing.length = 0;
  }

  /** When `advance` should run next, or `nowUs + horizonUs` if nothing can be due before that. Never later than the first deadline plus 1 ms. */
  nextDueUs(nowUs: number, horizonUs: number): number {
    if (this.#armed === 0) return nowUs + horizonUs;
    const last = Math.floor((nowUs + horizonUs) / TICK_US);
    for (let tick = this.#tick + 1; tick <= last; tick += 1) {
      if (this.#heads[tick & (SLOTS - 1)] !== NONE) return tick * TICK_US;
    }
    return nowUs + horizonUs;
  }

  #link(timer: number, slot: number): void {
    const head = this.#heads[slot];
    this.#next[timer] = head;
    this.#previous[timer] = NONE;
    if (head !== NONE) this.#previous[head] = timer;
    this.#heads[slot] = timer;
    this.#slotOf[timer] = slot;
  }

  #unlink(timer: number, slot: number): void {
    const next = this.#next[timer];
    const previous = this.#previous[timer];
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else this.#heads[slot] = next;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#slotOf.length * 2);
    const widen = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const wide = new Int32Array(size).fill(NONE);
      wide.set(old);
      return wide;
    };
    this.#next = widen(this.#next);
    this.#previous = widen(this.#previous);
    this.#slotOf = widen(this.#slotOf);
    const due = new Float64Array(size);
    due.set(this.#dueUs);
    this.#dueUs = due;
  }
}
