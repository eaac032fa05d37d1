import type { MediaProgram, MediaThread } from '@mediaplane/media';
import { ReplyMemory } from '../domain/receiver/reply-memory.ts';
import type { SrtlaContract } from './contract.ts';
import { LISTENER_COMMANDS } from './listener-commands.ts';
import { ListenerSession } from './listener-session.ts';
import { PathSession } from './path-session.ts';
import { RelaySession } from './relay-session.ts';
import { UPLINK_COMMANDS } from './uplink-commands.ts';
import { UplinkMemory } from './uplink-memory.ts';
import { UplinkSession } from './uplink-session.ts';
import { UpstreamSession } from './upstream-session.ts';

export type SrtlaSession = ListenerSession | UpstreamSession | RelaySession | UplinkSession | PathSession;

/** What a media thread runs for srtla-gateway: listeners with their groups, and uplinks with their links. */
export function startProgram(thread: MediaThread): MediaProgram<SrtlaSession, SrtlaContract> {
  const { io } = thread;
  const batchSize = io.batch.offset.length;
  const memory = new ReplyMemory(io.reserve(ReplyMemory.bytes(batchSize)), batchSize);
  const uplinkMemory = new UplinkMemory(io);
  return {
    open(port, init, nowUs) {
      switch (init.kind) {
        case 'listener':
          return { session: new ListenerSession(thread, memory, port, init, nowUs), opened: null };
        case 'upstream':
          return { session: new UpstreamSession(thread, port, init, nowUs), opened: null };
        case 'relay':
          return { session: new RelaySession(thread, memory, port, init, nowUs), opened: null };
        case 'uplink':
          return { session: new UplinkSession(thread, uplinkMemory, port, init, nowUs), opened: null };
        case 'path':
          return { session: new PathSession(thread, port, init, nowUs), opened: null };
      }
    },
    restore: () => {
      throw new Error('sessions of srtla-gateway do not move');
    },
    commands: { ...LISTENER_COMMANDS, ...UPLINK_COMMANDS },
  };
}
