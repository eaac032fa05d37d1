import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import workerThreads, { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';

/**
 * Preloaded into rtp-channel (`--import`), so that the product needs no code for measurements. On the main thread it ends the
 * process with the load test, and with `LOADTEST_MEMORY_PROBE` answers `memory` by IPC with the heap and external memory of
 * all isolates after a forced collection (`--expose-gc`). A media thread never returns to its event loop, but reads its clock
 * once a pass: there it looks whether it has been asked. Runs that measure CPU do without that.
 */

export type ToProbe = 'memory';

export type FromProbe = { readonly heapBytes: number; readonly externalBytes: number } | { readonly failed: string };

const KEY = 'mediaplane.loadtest.memory';
/** Words: what is asked for, number of worker isolates, then three for each: answered, heap bytes, external bytes. */
const MAX_WORKERS = 64;
const ASKED = 0;
const WORKERS = 1;
const FIRST = 2;
const WORDS_PER_WORKER = 3;
const ANSWER_WITHIN_MS = 5000;

/** Twice: what the first frees may hold more (weak references, array buffers). */
function collect(): { heap: number; external: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { heap, external };
}

function serveMainThread(): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  if (process.env['LOADTEST_MEMORY_PROBE'] === undefined) {
    // A listener keeps the channel open, and with it the notice of the parent's end.
    process.on('message', () => undefined);
    return;
  }
  const board = new Float64Array(
    new SharedArrayBuffer((FIRST + MAX_WORKERS * WORDS_PER_WORKER) * Float64Array.BYTES_PER_ELEMENT),
  );
  setEnvironmentData(KEY, board);
  preloadInWorkers();
  process.on('message', (_: ToProbe) => {
    measure(board).then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.({ failed: String(error) } satisfies FromProbe),
    );
  });
}

/** A worker that is given `execArgv` inherits no preloads, so the class adds this one. */
function preloadInWorkers(): void {
  class ProbedWorker extends workerThreads.Worker {
    constructor(script: string | URL, options: WorkerOptions = {}) {
      const execArgv = [...(options.execArgv ?? process.execArgv), '--import', import.meta.filename];
      super(script, { ...options, execArgv });
    }
  }
  Object.assign(workerThreads, { Worker: ProbedWorker });
  syncBuiltinESMExports();
}

async function measure(board: Float64Array): Promise<FromProbe> {
  board[ASKED] += 1;
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  if (board[WORKERS] === 0) throw new Error('no media thread has loaded the probe');
  const slots = Array.from({ length: board[WORKERS] }, (_, worker) => FIRST + worker * WORDS_PER_WORKER);
  while (slots.some((slot) => board[slot] !== board[ASKED])) {
    if (performance.now() > deadline) throw new Error('a media thread did not answer the probe');
    await sleep(10);
  }
  const { heap, external } = collect();
  return {
    heapBytes: slots.reduce((sum, slot) => sum + board[slot + 1], heap),
    externalBytes: slots.reduce((sum, slot) => sum + board[slot + 2], external),
  };
}

function serveWorker(board: Float64Array): void {
  const slot = FIRST + board[WORKERS] * WORDS_PER_WORKER;
  board[WORKERS] += 1;
  const now = performance.now.bind(performance);
  performance.now = () => {
    if (board[slot] !== board[ASKED]) {
      const { heap, external } = collect();
      board[slot + 1] = heap;
      board[slot + 2] = external;
      board[slot] = board[ASKED];
    }
    return now();
  };
}

if (isMainThread) serveMainThread();
else {
  const board = getEnvironmentData(KEY);
  if (board instanceof Float64Array) serveWorker(board);
}
