import type { MediaProgram, MediaThread } from '@mediaplane/media';
import { ReplyMemory } from '../domain/receiver/reply-memory.ts';
import type { SrtlaContract } from './contract.ts';
import { ListenerSession } from './listener-session.ts';
import { UpstreamSession } from './upstream-session.ts';

export type SrtlaSession = ListenerSession | UpstreamSession;

/** What a media thread runs for srtla-gateway: listeners, and the groups of each beside it. */
export function startProgram(thread: MediaThread): MediaProgram<SrtlaSession, SrtlaContract> {
  const { io } = thread;
  const batchSize = io.batch.offset.length;
  const memory = new ReplyMemory(io.reserve(ReplyMemory.bytes(batchSize)), batchSize);
  return {
    open: (port, init, nowUs) => ({
      session:
        init.kind === 'listener'
          ? new ListenerSession(thread, memory, port, init, nowUs)
          : new UpstreamSession(thread, port, init),
      opened: null,
    }),
    restore: () => {
      throw new Error('sessions of srtla-gateway do not move');
    },
    commands: {},
  };
}
