const MAX_CHANNELS = 10_000;
const MIN_CHANNELS = 10;
const GROWTH = 1.5;
/** The search ends when what holds and what does not are this close. */
const PRECISION = 0.05;

/**
 * The largest number for which `holds` is true, to 5 %: grows or halves from `start` until the answer changes, then bisects.
 * 0 if not even 10 hold; never above 10,000. At most 25 questions.
 */
export async function searchCapacity(start: number, holds: (channels: number) => Promise<boolean>): Promise<number> {
  let [good, bad] = await bracket(start, holds);
  while (good > 0 && bad - good > Math.max(good * PRECISION, 1)) {
    const middle = Math.round((good + bad) / 2);
    if (await holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** [what holds, what does not]: the first is 0 if nothing does, both are the largest if everything does. */
async function bracket(start: number, holds: (channels: number) => Promise<boolean>): Promise<[number, number]> {
  let channels = Math.min(Math.max(start, MIN_CHANNELS), MAX_CHANNELS);
  if (await holds(channels)) {
    while (channels < MAX_CHANNELS) {
      const next = Math.min(Math.round(channels * GROWTH), MAX_CHANNELS);
      if (!(await holds(next))) return [channels, next];
      channels = next;
    }
    return [channels, channels];
  }
  while (channels > MIN_CHANNELS) {
    const next = Math.max(Math.round(channels / 2), MIN_CHANNELS);
    if (await holds(next)) return [next, channels];
    channels = next;
  }
  return [0, channels];
}
