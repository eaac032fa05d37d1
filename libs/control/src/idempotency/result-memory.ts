import { ServiceError } from '../errors.ts';
import { requestIdReused } from './fingerprint.ts';

interface Remembered {
  readonly fingerprint: string;
  readonly result: Promise<Uint8Array>;
  settled: boolean;
}

/** How far above its bound the memory may grow before it is brought back. */
const SLACK = 1 / 16;

/** Thrown to a follower: this instance has not seen the request. */
export const NOT_REMEMBERED = 'NOT_REMEMBERED';

/**
 * The encoded responses of this instance to mutations with a request id. A repeated one joins the first while it runs and gets its
 * result afterwards; a failed one is forgotten, so that it can be tried again. Bounded: the oldest go first. The work must settle
 * when the mutation has, not when its first caller gives up, or a repetition would do it twice.
 */
export class ResultMemory {
  readonly #max: number;
  readonly #results = new Map<string, Remembered>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#results.size;
  }

  /** INVALID_ARGUMENT (REQUEST_ID_REUSED) when the fingerprint differs. Calls `repeated` if the work was already known. */
  run(key: string, fingerprint: string, work: () => Promise<Uint8Array>, repeated: () => void): Promise<Uint8Array> {
    const known = this.#known(key, fingerprint);
    if (known !== undefined) {
      repeated();
      return known;
    }
    const result = work();
    const remembered: Remembered = { fingerprint, result, settled: false };
    this.#results.set(key, remembered);
    result.then(
      () => (remembered.settled = true),
      () => this.#results.delete(key),
    );
    this.#evict();
    return result;
  }

  /** The result if the work is known; ABORTED (NOT_REMEMBERED) if not. */
  follow(key: string, fingerprint: string): Promise<Uint8Array> {
    const known = this.#known(key, fingerprint);
    if (known !== undefined) return known;
    throw new ServiceError('ABORTED', NOT_REMEMBERED, 'this instance does not know the request id');
  }

  #known(key: string, fingerprint: string): Promise<Uint8Array> | undefined {
    const known = this.#results.get(key);
    if (known === undefined) return undefined;
    if (known.fingerprint !== fingerprint) throw requestIdReused();
    return known.result;
  }

  /** Many at a time: to find the first of a Map is to step over all that were deleted before it. */
  #evict(): void {
    if (this.#results.size <= this.#max * (1 + SLACK)) return;
    for (const [key, remembered] of this.#results) {
      if (!remembered.settled) continue;
      this.#results.delete(key);
      if (this.#results.size <= this.#max) return;
    }
  }
}
