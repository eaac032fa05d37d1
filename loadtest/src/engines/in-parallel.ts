/** Runs `work` over all items, at most `width` at once; results are in the order of the items. Rejects with the first failure. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

/** [a0, a1, a2, a3] -> [[a0, a1], [a2, a3]]. */
export function pairs<T>(items: readonly T[]): (readonly [T, T])[] {
  return Array.from({ length: items.length >> 1 }, (_, i) => [items[2 * i], items[2 * i + 1]] as const);
}
