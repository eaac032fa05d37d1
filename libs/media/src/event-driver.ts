import type { MessagePort } from 'node:worker_threads';
import type { SharedCounters, ThreadCounter } from './counters.ts';
import type { MediaLoop } from './media-loop.ts';
import type { ToThread } from './messages.ts';
import type { MediaContract, MediaSession } from './program.ts';

export interface EventDriverOptions<S extends MediaSession<C>, C extends MediaContract> {
  readonly loop: MediaLoop<S, C>;
  readonly mailbox: MessagePort;
  readonly counters: SharedCounters<ThreadCounter>;
  readonly nowUs: () => number;
}

/** Drives a loop from the thread's event loop, over node:dgram. Resolves when the loop has been told to stop. */
export function runEventDriven<S extends MediaSession<C>, C extends MediaContract>({
  loop,
  mailbox,
  counters,
  nowUs,
}: EventDriverOptions<S, C>): Promise<void> {
  const { io } = loop;
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;

  const pass = (): void => {
    clearTimeout(timer);
    let now = nowUs();
    do {
      io.receive(0);
      loop.pass(now);
    } while (io.batch.count > 0);
    now = nowUs();
    loop.writeCounters(counters, now, 0);
    timer = setTimeout(pass, Math.max((loop.nextDueUs(now) - now) / 1000, 1));
  };

  io.onReadable = pass;
  mailbox.on('message', (message: ToThread<C>) => {
    loop.handle(message, nowUs());
    if (loop.stopping) {
      clearTimeout(timer);
      io.onReadable = null;
      resolve();
    } else {
      pass();
    }
  });
  pass();
  return promise;
}
