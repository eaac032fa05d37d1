/** Samples on their way to a watcher: of each session the latest, so that a slow one gets fewer, and fills no memory. */
export class SampleQueue<S> {
  readonly #waiting = new Map<string, S>();
  #wake: (() => void) | undefined;

  push(id: string, sample: S): void {
    this.#waiting.set(id, sample);
    this.#wake?.();
  }

  /** Resolves when there is one. */
  ready(): Promise<void> {
    if (this.#waiting.size > 0) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  take(): S[] {
    const samples = [...this.#waiting.values()];
    this.#waiting.clear();
    return samples;
  }
}

/** The items, and between them the samples as they come. Ends with the items. */
export async function* withSamples<T, S>(items: AsyncIterable<T>, samples: SampleQueue<S>): AsyncGenerator<T | S> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const result = await Promise.race([next, samples.ready()]);
      yield* samples.take();
      if (result === undefined) continue;
      if (result.done === true) return;
      next = iterator.next();
      yield result.value;
    }
  } finally {
    // It may fail while nobody waits for it.
    next.catch(() => undefined);
    await iterator.return?.();
  }
}
