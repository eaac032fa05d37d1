import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import type { SharedCounters, ThreadCounter } from './counters.ts';
import type { MediaLoop } from './media-loop.ts';
import type { ToThread } from './messages.ts';
import type { MediaContract, MediaSession } from './program.ts';
import type { WakeCoalescer } from './wake-coalescer.ts';

export interface BlockingDriverOptions<S extends MediaSession<C>, C extends MediaContract> {
  readonly loop: MediaLoop<S, C>;
  readonly mailbox: MessagePort;
  readonly counters: SharedCounters<ThreadCounter>;
  readonly coalescer: WakeCoalescer;
  readonly nowUs: () => number;
  readonly sleepUs: (durationUs: number) => void;
}

/**
 * Drives a loop until it is told to stop: epoll_wait -> drain -> pass -> mailbox. It never returns to the thread's event
 * loop, so neither promises nor Node timers nor I/O of Node's run on this thread.
 */
export function runBlocking<S extends MediaSession<C>, C extends MediaContract>({
  loop,
  mailbox,
  counters,
  coalescer,
  nowUs,
  sleepUs,
}: BlockingDriverOptions<S, C>): void {
  const { io } = loop;
  let coalescedWaits = 0;
  while (!loop.stopping) {
    let now = nowUs();
    const dueUs = loop.nextDueUs(now);
    const pauseUs = coalescer.pauseUs(dueUs, now);
    if (pauseUs > 0) {
      // What deadlines and commands have queued is not to wait as well.
      io.flush();
      sleepUs(pauseUs);
      coalescedWaits += 1;
    }
    const backlogsBefore = io.counters.backlogs;
    const received = io.receive(Math.max(dueUs - now - pauseUs, 0));
    now = nowUs();
    coalescer.observe(received, io.counters.backlogs !== backlogsBefore, now);
    loop.pass(now);
    if (io.doorbellRung) {
      for (let letter = receiveMessageOnPort(mailbox); letter; letter = receiveMessageOnPort(mailbox)) {
        loop.handle(letter.message as ToThread<C>, now);
      }
    }
    loop.writeCounters(counters, now, coalescedWaits);
  }
}
