/** Runs `work` for all items, so many at a time; throws the first error after its batch has finished. */
export async function inBatches<T>(items: readonly T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    const outcomes = await Promise.allSettled(items.slice(start, start + size).map(work));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
