/** Work that must not interleave: each piece starts when the one before has ended, however it ended. */
export class Turns {
  #last: Promise<unknown> | undefined;

  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last === undefined ? work() : this.#last.then(work);
    const settled = turn.then(nothing, nothing).then(() => {
      if (this.#last === settled) this.#last = undefined;
    });
    this.#last = settled;
    return turn;
  }
}

function nothing(): void {}
