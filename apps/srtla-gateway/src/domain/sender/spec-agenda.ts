interface Parcel {
  readonly dueUs: number;
  readonly order: number;
  readonly deliver: () => void;
}

/** What is to happen, the earliest first. */
export class Agenda {
  readonly #heap: Parcel[] = [];
  #order = 0;

  get nextUs(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].dueUs;
  }

  add(dueUs: number, deliver: () => void): void {
    const heap = this.#heap;
    heap.push({ dueUs, order: this.#order++, deliver });
    for (let at = heap.length - 1; at > 0;) {
      const up = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[up])) break;
      [heap[at], heap[up]] = [heap[up], heap[at]];
      at = up;
    }
  }

  take(): Parcel {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child], heap[least])) least = child;
      }
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least], heap[at]];
      at = least;
    }
  }
}

function isBefore(a: Parcel, b: Parcel): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.order < b.order);
}
