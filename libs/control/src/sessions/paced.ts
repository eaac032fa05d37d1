/** What one turn of the event loop may take of a long piece of work: a few milliseconds' worth. */
export const ITEMS_PER_TURN = 512;
const SORTED_PER_TURN = 4_096;

/** Lets everything that waits run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** As `toSorted`, but lets others run meanwhile: 100,000 ids take 55 ms at one go. */
export async function sortPaced<T>(items: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += SORTED_PER_TURN) {
    if (start > 0) await nextTurn();
    runs.push(items.slice(start, start + SORTED_PER_TURN).sort(compare));
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(await mergePaced(runs[index], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergePaced<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const merged: T[] = [];
  let fromRight = 0;
  for (const item of left) {
    while (fromRight < right.length && compare(right[fromRight], item) < 0) merged.push(right[fromRight++]);
    merged.push(item);
    if (merged.length % SORTED_PER_TURN === 0) await nextTurn();
  }
  return merged.concat(right.slice(fromRight));
}
