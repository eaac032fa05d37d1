/** More than anybody kicks within the time that an id is good for; the oldest make room. */
const MAX_IDS = 4096;

/** Ids of groups that were ended for good, though their tokens are still good. */
export class EndedIds {
  readonly #keys = new Set<string>();

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size <= MAX_IDS) return;
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      break;
    }
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}
