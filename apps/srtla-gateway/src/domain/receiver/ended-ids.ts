/** More than anybody kicks within the time that an id is good for; the oldest make room. */
const MAX_IDS = 4096;

/** Ids of groups that are not here, though their tokens say so: they were ended for good, or another instance has them. */
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

  delete(key: string): void {
    this.#keys.delete(key);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}
