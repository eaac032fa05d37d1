import { rmSync } from 'node:fs';
import { tempFolder } from '@mediaplane/testkit';

/** What a load test puts on the machine while it runs: processes, folders, namespaces. None of it outlives the test, whichever way that ends. */
const cleanups = new Set<() => void>();

/** Does this when the process ends before it is disposed of. What it throws then is passed over. */
export function atExit(clean: () => void): Disposable {
  cleanups.add(clean);
  return { [Symbol.dispose]: () => void cleanups.delete(clean) };
}

/** Kills a process that others have started with this one too, until it is disposed of. */
export function adopt(pid: number): Disposable {
  return atExit(() => process.kill(pid, 'SIGKILL'));
}

/** A folder of a run's own. */
export async function runFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const { path, remove } = await tempFolder('loadtest');
  const registered = atExit(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await remove();
      registered[Symbol.dispose]();
    },
  };
}

/** From here on Ctrl-C, SIGTERM, the loss of the terminal and every exit of this process clean up, the last first. Call once. */
export function cleanUpWithThisProcess(): void {
  process.once('exit', () => {
    for (const clean of [...cleanups].reverse()) {
      try {
        clean();
      } catch {
        // The others are to be done all the same.
      }
    }
  });
  process.once('SIGHUP', () => process.exit(129));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
