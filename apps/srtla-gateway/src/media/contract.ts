import type { MediaContract } from '@mediaplane/media';
import type { ListenerCommands, ListenerEvent, ListenerInit, UpstreamInit } from './listener-contract.ts';
import type { RelayEvent, RelayInit } from './relay-contract.ts';
import type { PathInit, UplinkCommands, UplinkEvent, UplinkInit } from './uplink-contract.ts';

/**
 * What the control side of srtla-gateway and its media threads say to each other, plain data. A listener is one session, with the one
 * socket that all its senders send to. Each of its groups is another, on the same thread, with a socket of its own towards its SRT
 * server: to that server a group is one peer. An uplink is a session with the socket that its encoder sends to, and each of its links
 * another beside it.
 */

/** The part a socket plays: a session of any kind has one. */
export const SOCKET_ROLE = 0;
/** A listener may have another, on the private network, to which other instances hand on what links of its groups send to them. */
export const RELAY_ROLE = 1;

export type SrtlaEvent = UplinkEvent | ListenerEvent | RelayEvent;

export interface SrtlaContract extends MediaContract {
  init: ListenerInit | UpstreamInit | RelayInit | UplinkInit | PathInit;
  opened: null;
  commands: UplinkCommands & ListenerCommands;
  event: SrtlaEvent;
  /** Neither moves: a group stays with its listener, and that with its socket. */
  snapshot: never;
  closing: null;
  closed: null;
}
