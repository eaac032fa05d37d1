import type { DoorbellHandle, UdpSocketHandle } from '@mediaplane/net';
import type { MediaContract } from './program.ts';

/** A socket and the role it plays in its session (0 to 7; what a role means is the program's affair). */
export interface SessionSocket {
  readonly role: number;
  readonly handle: UdpSocketHandle;
}

export const MAX_ROLES = 8;

/** What a media thread is born with. */
export interface ThreadSettings {
  readonly thread: number;
  readonly programModule: string;
  readonly programOptions: unknown;
  readonly implementation: 'native' | 'dgram';
  readonly batchCalls: boolean;
  readonly doorbell: DoorbellHandle;
  readonly latencyBudgetUs: number;
  readonly arenaBytes: number;
  readonly threadCounters: SharedArrayBuffer;
  readonly programCounters: SharedArrayBuffer;
}

/** Control thread to media thread. Each `call` is answered by exactly one `reply` or `failure`. */
export type ToThread<C extends MediaContract = MediaContract> =
  | { type: 'open'; call: number; sessionId: string; sockets: readonly SessionSocket[]; init: C['init'] }
  | { type: 'restore'; call: number; sessionId: string; sockets: readonly SessionSocket[]; snapshot: C['snapshot'] }
  | { type: 'command'; call: number; sessionId: string; name: keyof C['commands'] & string; args: unknown }
  | { type: 'attach'; call: number; sessionId: string; socket: SessionSocket }
  | { type: 'detach'; call: number; sessionId: string; role: number }
  | { type: 'snapshot'; call: number; sessionId: string }
  | { type: 'close'; call: number; sessionId: string; closing: C['closing'] }
  | { type: 'stop' };

/** Media thread to control thread, in the order things happened. */
export type FromThread<C extends MediaContract = MediaContract> =
  /** In its loop; `descriptors` are those to be closed for it if it dies. */
  | { type: 'ready'; descriptors: readonly number[]; batchesCalls: boolean }
  /** Out of its loop in good order, its descriptors closed. */
  | { type: 'stopped' }
  | { type: 'reply'; call: number; value: unknown }
  | { type: 'failure'; call: number; code: string; message: string }
  | { type: 'event'; sessionId: string; event: C['event'] }
  /** The session threw; it is gone from the thread, its sockets are detached. */
  | { type: 'session-failed'; sessionId: string; message: string };
