import type { Logger } from '@mediaplane/control';
import type { SessionSocket } from '@mediaplane/media';
import type { UdpSockets } from '@mediaplane/net';
import type { PathInit, UplinkCommands, UplinkInit } from '../media/uplink-contract.ts';
import type { BufferNotes } from './buffer-notes.ts';
import type { UplinkEvent } from './events.ts';
import type { Resolve } from './receiver-addresses.ts';
import type { RouteProblem } from './route-problem.ts';
import type { Interfaces } from './source-addresses.ts';
import type { UplinkView } from './view.ts';

/** What uplinks want of the media threads: `MediaThreads` has it. */
export interface UplinkMedia {
  open(sessionId: string, sockets: readonly SessionSocket[], init: UplinkInit | PathInit, near?: string): Promise<null>;
  command<K extends keyof UplinkCommands & string>(
    sessionId: string,
    name: K,
    args: UplinkCommands[K]['args'],
  ): Promise<UplinkCommands[K]['result']>;
  close(sessionId: string, closing: null): Promise<null>;
}

/** What uplinks work with; everything that a test may want to be another's is given. */
export interface UplinkParts {
  readonly media: UplinkMedia;
  readonly sockets: UdpSockets;
  readonly log: Logger;
  /** A new `up_<instance>_<random>`. */
  newUplinkId(): string;
  onEvent(event: UplinkEvent): void;
  /** Each time that an uplink has looked around: once a second. */
  onStatistics?(view: UplinkView): void;
  /** Default: the system's. */
  readonly resolve?: Resolve;
  /** Default: the system's. */
  interfaces?(): Interfaces;
  /** Default: asks the system, on Linux. */
  routeProblem?: RouteProblem;
  /** Default: the monotonic clock. */
  nowMs?(): number;
  /** How often uplinks look around; default: 1000. */
  readonly tendMs?: number;
}

/** The same with nothing left open, for what is inside. */
export interface AllParts extends Required<UplinkParts> {
  readonly buffers: BufferNotes;
}
