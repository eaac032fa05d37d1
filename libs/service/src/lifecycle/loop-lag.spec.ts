import { expect, test } from '@jest/globals';
import { LoopLag } from './loop-lag.ts';

/** Keeps the loop for so long in each turn, until `window` has been told. */
async function meanMsWithTurnsOf(busyMs: number): Promise<number> {
  const told = Promise.withResolvers<number>();
  let windows = 0;
  // The first window may have begun before the turns did.
  const lag = new LoopLag((meanMs) => ++windows === 2 && told.resolve(meanMs));
  let isTold = false;
  void told.promise.then(() => (isTold = true));
  const turn = (): void => {
    const untilMs = performance.now() + busyMs;
    while (performance.now() < untilMs);
    if (!isTold) setTimeout(turn);
  };
  turn();
  const meanMs = await told.promise;
  lag.stop();
  return meanMs;
}

test('a loop whose turns take 52 ms is late', async () => {
  expect(await meanMsWithTurnsOf(52)).toBeGreaterThan(25);
});
