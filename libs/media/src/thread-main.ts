// The entry of a media thread (a worker): builds its PacketIo, loads the app's program and hands both to a driver.
import { parentPort, workerData } from 'node:worker_threads';
import { createPacketIo } from '@mediaplane/net';
import { sleepUs } from '@mediaplane/native';
import { runBlocking } from './blocking-driver.ts';
import { createMonotonicClock, followWallClock } from './clock.ts';
import { SharedCounters, THREAD_COUNTERS } from './counters.ts';
import { runEventDriven } from './event-driver.ts';
import { MediaLoop, type Post } from './media-loop.ts';
import type { ThreadSettings } from './messages.ts';
import type { MediaContract, MediaSession, MediaThread, StartProgram } from './program.ts';
import { WakeCoalescer } from './wake-coalescer.ts';

if (!parentPort) throw new Error('thread-main.ts runs as a worker');
const mailbox = parentPort;
const settings = workerData as ThreadSettings;
const { startProgram } = (await import(settings.programModule)) as {
  startProgram: StartProgram<MediaSession<MediaContract>, MediaContract>;
};

const nowUs = createMonotonicClock();
const io = createPacketIo({
  implementation: settings.implementation,
  batchCalls: settings.batchCalls,
  arenaBytes: settings.arenaBytes,
  doorbell: settings.doorbell,
});
const thread: MediaThread = {
  io,
  unixOffsetUs: followWallClock(null, nowUs()),
  counters: new Float64Array(settings.programCounters),
  options: settings.programOptions,
};
const program = startProgram(thread);
const post: Post<MediaContract> = (message, transfer) => mailbox.postMessage(message, transfer);
const loop = new MediaLoop(thread, program, post, nowUs());
const counters = new SharedCounters(THREAD_COUNTERS, settings.threadCounters);
post({ type: 'ready', descriptors: io.descriptors, batchesCalls: io.batchesCalls });

if (io.capabilities.blocking) {
  const coalescer = new WakeCoalescer(settings.latencyBudgetUs, io.batch.offset.length, nowUs());
  runBlocking({ loop, mailbox, counters, coalescer, nowUs, sleepUs });
} else {
  await runEventDriven({ loop, mailbox, counters, nowUs });
}
io.close();
post({ type: 'stopped' });
mailbox.close();
