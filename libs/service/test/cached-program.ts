/** Prints which compile cache it has, and which a thread of it has. */
import '@mediaplane/service/compile-cache';
import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';

const ask =
  'require("node:worker_threads").parentPort.postMessage(require("node:module").getCompileCacheDir() ?? null)';
new Worker(ask, { eval: true }).once('message', (thread: string | null) => {
  process.stdout.write(`${JSON.stringify({ main: getCompileCacheDir() ?? null, thread })}\n`);
});
