/**
 * Media threads: worker threads that own media sessions and do all per-packet work in one pass function, driven by epoll
 * or by the event loop; and the control thread's handle on them (placement, commands, moves, watchdog, replacement).
 */
export { createMonotonicClock } from './clock.ts';
export { SharedCounters, THREAD_COUNTERS, type ThreadCounter } from './counters.ts';
export { MediaError, type MediaErrorCode } from './errors.ts';
export { FRAME_US } from './frame-clock.ts';
export { WakeCoalescer } from './wake-coalescer.ts';
export { MediaThreads, type MediaThreadsOptions } from './media-threads.ts';
export type { SessionSocket } from './messages.ts';
export type {
  CommandHandlers,
  MediaContract,
  MediaProgram,
  MediaSession,
  MediaThread,
  SessionPort,
  StartProgram,
} from './program.ts';
