/** A list whose members keep their places; a place that is free is given out again. */
export class Places<T> {
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** `make` is told the place. */
  take(make: (index: number) => T): T {
    const index = this.#free.pop() ?? this.#items.length;
    const item = make(index);
    this.#items[index] = item;
    return item;
  }

  /** Undefined for a place that is free, and for -1. */
  get(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[index];
  }

  free(index: number): void {
    this.#items[index] = undefined;
    this.#free.push(index);
  }
}
