/** A queue with one asynchronous reader that may wait for the next item. */
export class MessageQueue<T> {
  readonly #items: T[] = [];
  #head = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#notify();
  }

  /** The reader stops after what is queued. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** `undefined` at the end. */
  async next(): Promise<T | undefined> {
    while (this.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const item = this.#items[this.#head++];
    // Shifting each time would be quadratic under a backlog.
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
