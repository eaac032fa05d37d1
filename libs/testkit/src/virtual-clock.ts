/** A timer of a `VirtualClock`. */
export interface VirtualTimer {
  readonly dueUs: number;
  cancel(): void;
}

interface Entry {
  readonly dueUs: number;
  /** Timers of the same time fire in the order in which they were set. */
  readonly order: number;
  action: (() => void) | null;
}

/** Time that passes only when it is told to: timers fire in order of their time, and hours pass in milliseconds. */
export class VirtualClock {
  private now = 0;
  private order = 0;
  /** A binary heap, earliest first. */
  private readonly heap: Entry[] = [];

  /** Microseconds since the clock was made. */
  get nowUs(): number {
    return this.now;
  }

  /** The time of the next timer, Infinity when there is none. */
  get nextUs(): number {
    this.dropCancelled();
    return this.heap.at(0)?.dueUs ?? Infinity;
  }

  /** Calls `action` at `dueUs`, or as the next thing if that is past. */
  at(dueUs: number, action: () => void): VirtualTimer {
    const entry: Entry = { dueUs: Math.max(dueUs, this.now), order: this.order++, action };
    this.push(entry);
    return { dueUs: entry.dueUs, cancel: () => void (entry.action = null) };
  }

  after(delayUs: number, action: () => void): VirtualTimer {
    return this.at(this.now + delayUs, action);
  }

  /** Fires the next timer, at its time. False when there is none. */
  step(): boolean {
    this.dropCancelled();
    const entry = this.pop();
    if (entry === null) return false;
    this.now = entry.dueUs;
    entry.action?.();
    return true;
  }

  /** Fires everything due until `untilUs`, also what is set meanwhile, and stands there. */
  runUntil(untilUs: number): void {
    while (this.nextUs <= untilUs) this.step();
    this.now = Math.max(this.now, untilUs);
  }

  run(durationUs: number): void {
    this.runUntil(this.now + durationUs);
  }

  private dropCancelled(): void {
    while (this.heap.length > 0 && this.heap[0].action === null) this.pop();
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = entry;
  }

  private pop(): Entry | null {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined) return null;
    if (heap.length === 0) return last;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.order < b.order);
}
