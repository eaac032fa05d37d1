/** Reports come once a second: what is older is of an instance that does not answer. */
const FRESH_MS = 5000;

interface Heard<Sample> {
  readonly sample: Sample;
  readonly heardMs: number;
}

/** The last sample of each session that its instance still tells of. */
export class FreshSamples<Sample> {
  readonly #heard = new Map<string, Heard<Sample>>();

  set(sessionId: string, sample: Sample): void {
    this.#heard.set(sessionId, { sample, heardMs: performance.now() });
  }

  delete(sessionId: string): void {
    this.#heard.delete(sessionId);
  }

  /** To be called with each report: whether anybody reads or not. */
  forgetOld(): void {
    const nowMs = performance.now();
    for (const [sessionId, { heardMs }] of this.#heard) {
      if (nowMs - heardMs > FRESH_MS) this.#heard.delete(sessionId);
    }
  }

  /** By id, in the order in which they came first. */
  *[Symbol.iterator](): Generator<[sessionId: string, sample: Sample]> {
    const nowMs = performance.now();
    for (const [sessionId, { sample, heardMs }] of this.#heard) {
      if (nowMs - heardMs <= FRESH_MS) yield [sessionId, sample];
    }
  }
}
