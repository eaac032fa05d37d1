import type { srtla } from '@mediaplane/proto';

type Detail = NonNullable<srtla.SrtlaEvent['detail']>;
type DetailOf<K extends Detail['$case']> = Extract<Detail, { $case: K }>['value'];

/** Within the time of a test, so that it fails in good order. */
const PATIENCE_MS = 30_000;

/** Follows WatchGroups in the background. */
export class Follower implements Disposable {
  readonly responses: srtla.WatchGroupsResponse[] = [];
  readonly #abort = new AbortController();
  #wake: (() => void)[] = [];
  #ended: unknown;

  constructor(stream: (signal: AbortSignal) => AsyncIterable<srtla.WatchGroupsResponse>) {
    void this.#run(stream(this.#abort.signal));
  }

  get events(): srtla.SrtlaEvent[] {
    return this.responses.flatMap(({ item }) => (item?.$case === 'event' ? [item.value] : []));
  }

  /** The first response that gives something, received already or to come. */
  async until<T>(look: (response: srtla.WatchGroupsResponse) => T | undefined): Promise<T> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      for (const response of this.responses) {
        const found = look(response);
        if (found !== undefined) return found;
      }
      if (this.#ended !== undefined) throw this.#ended;
      await new Promise<void>((resolve, reject) => {
        this.#wake.push(resolve);
        limit.addEventListener('abort', () => reject(new Error(`not within ${PATIENCE_MS} ms`)), { once: true });
      });
    }
  }

  /** What the first event of a kind says. */
  event<K extends Detail['$case']>(kind: K): Promise<DetailOf<K>> {
    return this.until(({ item }) => {
      const detail: Detail | undefined = item?.$case === 'event' ? item.value.detail : undefined;
      return detail?.$case === kind ? (detail.value as DetailOf<K>) : undefined;
    });
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #run(stream: AsyncIterable<srtla.WatchGroupsResponse>): Promise<void> {
    try {
      for await (const response of stream) {
        this.responses.push(response);
        this.#notify();
      }
      this.#ended = new Error('the watch has ended');
    } catch (error) {
      this.#ended = error;
    }
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
