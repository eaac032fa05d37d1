import type { MediaContract } from '@mediaplane/media';
import type { AddressWords } from '@mediaplane/net';
import type { GroupDownReason, LinkDownReason } from '../domain/receiver/receiver-parts.ts';
import type { ReceiverOptions } from '../domain/receiver/options.ts';
import type { LinkLostReason } from '../domain/sender/sender-parts.ts';
import type { GroupTokensOptions } from '../tokens/group-tokens.ts';

/**
 * What the control side of srtla-gateway and its media threads say to each other, plain data. A listener is one session, with the one
 * socket that all its senders send to. Each of its groups is another, on the same thread, with a socket of its own towards its SRT
 * server: to that server a group is one peer. An uplink is a session with the socket that its encoder sends to, and each of its links
 * another beside it.
 */

/** The part a socket plays: a session of either kind has one. */
export const SOCKET_ROLE = 0;

export interface ListenerInit {
  readonly kind: 'listener';
  readonly options: ReceiverOptions;
  readonly tokens: GroupTokensOptions;
  /** Any random 32-bit number. */
  readonly seed: number;
}

export interface UpstreamInit {
  readonly kind: 'upstream';
  readonly listenerId: string;
  /** Its serial, as `group-up` told it. */
  readonly group: number;
  readonly server: AddressWords;
}

/** Where an encoder sends to. */
export interface UplinkInit {
  readonly kind: 'uplink';
  /** How many links it has, at most 127; each is opened after it. */
  readonly links: number;
}

/** One link of an uplink. */
export interface PathInit {
  readonly kind: 'path';
  readonly uplinkId: string;
  readonly link: number;
  readonly receiver: AddressWords;
}

export type SrtlaEvent =
  | { readonly type: 'uplink-link-up'; readonly link: number }
  | { readonly type: 'uplink-failover' | 'uplink-recovered'; readonly link: number }
  | { readonly type: 'uplink-link-down'; readonly link: number; readonly reason: LinkLostReason }
  | { readonly type: 'group-up'; readonly group: number }
  | { readonly type: 'group-down'; readonly group: number; readonly reason: GroupDownReason }
  | { readonly type: 'link-up'; readonly group: number; readonly address: AddressWords }
  | {
      readonly type: 'link-down';
      readonly group: number;
      readonly address: AddressWords;
      readonly reason: LinkDownReason;
    };

export interface SrtlaContract extends MediaContract {
  init: ListenerInit | UpstreamInit | UplinkInit | PathInit;
  opened: null;
  commands: Record<never, never>;
  event: SrtlaEvent;
  /** Neither moves: a group stays with its listener, and that with its socket. */
  snapshot: never;
  closing: null;
  closed: null;
}
