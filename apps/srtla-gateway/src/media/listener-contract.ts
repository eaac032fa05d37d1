import type { AddressWords } from '@mediaplane/net';
import type { LinkTelemetry } from '@mediaplane/srtla';
import type { IngestEnd, RefusedBy } from '../domain/receiver/ingest-state.ts';
import type { ReceiverOptions } from '../domain/receiver/options.ts';
import type { GroupDownReason, LinkDownReason, ReceiverCounters } from '../domain/receiver/receiver-parts.ts';
import type { RelayGateOptions } from '../domain/relay/relay-gate.ts';
import type { RelayCounters, RelayTraffic } from '../domain/relay/relay-parts.ts';
import type { GroupTokensOptions, TokenKey } from '../tokens/group-tokens.ts';
import type { RelayKeys } from '../tokens/relay-seals.ts';

/**
 * The listener's part of the contract. A listener is one session, with the one socket that all its senders send to. Each of its groups
 * is another, `upstream`, on the same thread, with a socket of its own towards its SRT server: to that server a group is one peer.
 * A group is told by its serial, a number that the listener gives out once.
 *
 * Where every stream goes to one server (`ingest: 'pass'`) the control side opens the upstream as soon as it hears `group-up`; the
 * encoder's handshake goes through as it is. Where rules decide (`ingest: 'decide'`) it hears `ingest-request`, opens the upstream
 * towards the server of its choice, in place of one that is open towards another, and then sends `verdict`.
 *
 * Group ids are bearer secrets and stream ids are often publish keys: whoever shows, logs or stores them redacts them.
 */

/** A group of before the process was started again, or of another instance, as it goes on. */
export interface ResumedGroup {
  /** As `group-up` told it. */
  readonly id: string;
  readonly links: readonly { readonly address: AddressWords; readonly joinedLate: boolean }[];
  /** As `ingest-accepted` told it; null when no SRT session stood. */
  readonly stream: {
    readonly callerSocketId: number;
    readonly serverSocketId: number;
    readonly latencyMs: number;
  } | null;
}

export interface ListenerInit {
  readonly kind: 'listener';
  readonly options: ReceiverOptions;
  readonly tokens: GroupTokensOptions;
  /** Any random 32-bit number. */
  readonly seed: number;
  /**
   * Each is announced by `group-up` and its `link-up`s, in this order, before `open` resolves. What its links bring is taken at once
   * and lost until its upstream is open: open that without delay, on the port that the SRT server knows.
   */
  readonly resume: readonly ResumedGroup[];
  /** Ids of groups that were kicked, the latest last: whoever comes with one is told that there is no such group. */
  readonly endedIds: readonly string[];
  /** With a socket as RELAY_ROLE: other instances hand on what links of its groups send to them; null: they cannot. */
  readonly relay: { readonly options: RelayGateOptions; readonly keys: RelayKeys } | null;
}

/** A group's socket towards its SRT server. Another one of the same group replaces it. */
export interface UpstreamInit {
  readonly kind: 'upstream';
  readonly listenerId: string;
  /** Its serial, as `group-up` told it. */
  readonly group: number;
  readonly server: AddressWords;
}

/**
 * With `foreignGroups: 'tell'`: a link of a group that another instance began wants in, and hears nothing until somebody has decided:
 * `adoptGroup`, `refuseForeign`, or a relay. Told each time it asks, once a second or so.
 */
export interface ForeignGroupEvent {
  readonly type: 'foreign-group';
  readonly id: string;
  /** The instance that began the group. */
  readonly issuer: string;
  readonly address: AddressWords;
  /** It came by the relay socket. */
  readonly isRelayed: boolean;
}

/** With a relay: an address that is no link's sends what links send. Told once a second, of so many at the most. */
export interface StrangerEvent {
  readonly type: 'stranger';
  readonly address: AddressWords;
}

export type ListenerEvent = ForeignGroupEvent | StrangerEvent | GroupEvent;

/** What happens to groups that are here. */
export type GroupEvent =
  /** `id`: 512 hexadecimal digits. `resumed`: it is one of `ListenerInit.resume`. */
  | { readonly type: 'group-up'; readonly group: number; readonly id: string; readonly resumed: boolean }
  /** Its last event. */
  | { readonly type: 'group-down'; readonly group: number; readonly reason: GroupDownReason }
  /** `address`: the sender's. `relayedBy`: the instance that hands it on. `joinedLate`: the SRT session stood already. */
  | {
      readonly type: 'link-up';
      readonly group: number;
      readonly address: AddressWords;
      readonly relayedBy: string | null;
      readonly joinedLate: boolean;
    }
  | {
      readonly type: 'link-down';
      readonly group: number;
      readonly address: AddressWords;
      readonly relayedBy: string | null;
      readonly reason: LinkDownReason;
    }
  /** `refuseLateLinks` has turned it away; told once for an address. */
  | { readonly type: 'late-link-refused'; readonly group: number; readonly address: AddressWords }
  /**
   * With `ingest: 'decide'`: an encoder wants in. To be answered by `verdict` within 2 s; the listener refuses it by itself after
   * `verdictTimeoutUs`. Another request of the same group overtakes this one.
   */
  | {
      readonly type: 'ingest-request';
      readonly group: number;
      /** Counts in the listener. */
      readonly request: number;
      /** null: the encoder gave none. */
      readonly streamId: string | null;
      /** What the encoder asks for. */
      readonly latencyMs: number;
      readonly isEncrypted: boolean;
      /** The link that brought it. */
      readonly address: AddressWords;
    }
  /** The SRT server has accepted an encoder. Again when the encoder shakes hands anew: this session replaces the one before. */
  | {
      readonly type: 'ingest-accepted';
      readonly group: number;
      readonly callerSocketId: number;
      readonly serverSocketId: number;
      /** As both ends have agreed. */
      readonly latencyMs: number;
      readonly streamId: string | null;
      readonly isEncrypted: boolean;
      /** Since the encoder was heard first; where rules decide, since its conclusion. */
      readonly setupMs: number;
    }
  /** `reason`: as SRT counts them (RejectionReason): 1000 and up are those of services, HTTP's codes plus 1000. */
  | {
      readonly type: 'ingest-refused';
      readonly group: number;
      readonly reason: number;
      readonly by: RefusedBy;
      readonly streamId: string | null;
      readonly address: AddressWords;
    }
  /** An encoder calls, and the server says nothing; once for each time that one begins to call. */
  | { readonly type: 'ingest-unanswered'; readonly group: number }
  /** The accepted SRT session is over; the group stays, for its encoder may come back. */
  | { readonly type: 'ingest-ended'; readonly group: number; readonly by: IngestEnd };

export interface GroupLinkStatistics {
  /** The sender's. */
  readonly address: AddressWords;
  /** The instance that hands it on. */
  readonly relayedBy: string | null;
  readonly joinedLate: boolean;
  readonly upMs: number;
  /** Since anything came by it. */
  readonly heardAgoMs: number;
  /** SRT that came by it. */
  readonly packets: number;
  readonly bytes: number;
  /** Interarrival jitter (RFC 3550 6.4.1, A.8) of first transmissions, by the timestamps of SRT. */
  readonly jitterMs: number;
  /** What its sender said last of it; null: it says nothing. */
  readonly telemetry: LinkTelemetry | null;
}

/** Counters since the group is up. */
export interface GroupStatistics {
  readonly group: number;
  readonly upMs: number;
  /** An SRT session stands. */
  readonly isAccepted: boolean;
  /** Of that session; 0 without one. */
  readonly latencyMs: number;
  /** SRT that came by its links, those that are gone too. */
  readonly packets: number;
  readonly bytes: number;
  /** Of these: data that the encoder had sent before (R bit). */
  readonly retransmitted: number;
  /** Of these: not of the SRT session that stands, and so not forwarded. */
  readonly notAccepted: number;
  /** SRT that came from its server, and what of it was not for the encoder that is accepted. */
  readonly serverPackets: number;
  readonly serverBytes: number;
  readonly serverNotAccepted: number;
  /** NAKs of the server, and how many packets they reported lost: one that is reported twice counts twice. */
  readonly serverNaks: number;
  readonly serverNakPackets: number;
  readonly links: readonly GroupLinkStatistics[];
}

export interface ListenerStatistics {
  /** When it was read, by the monotonic clock of the media thread: two readings give rates. */
  readonly sampledUs: number;
  /** Datagrams that came to nothing, by cause, since the listener is open. */
  readonly counters: Readonly<ReceiverCounters>;
  /** Of what came to the relay socket; null without one. */
  readonly relayCounters: Readonly<RelayCounters> | null;
  /** Of what this listener hands on. */
  readonly relayTraffic: Readonly<RelayTraffic>;
  /** Groups in which no SRT session has stood yet. */
  readonly halfOpenGroups: number;
  readonly groups: readonly GroupStatistics[];
}

/** Commands to a listener's session. One to a group that is over does nothing, and says so by `false`. */
export type ListenerCommands = {
  listenerStatistics: { args: null; result: ListenerStatistics };
  /**
   * `reason`: null accepts, for which the upstream must be open; else a RejectionReason, which the encoder is told, and which repeats of
   * the same stream id in that group are told for `refusalMemoryUs` without a new request. Returns whether the request still stood.
   */
  verdict: {
    args: { readonly group: number; readonly request: number; readonly reason: number | null };
    result: boolean;
  };
  /** Ends the group, its SRT session at both ends, and its id: who comes back with that is told that there is no such group. */
  kickGroup: { args: { readonly group: number }; result: boolean };
  /** Ends the group's SRT session at both ends; the links stay. For a group that comes back with another port than its server knows. */
  endStream: { args: { readonly group: number }; result: boolean };
  /**
   * A group that `foreign-group` told of is ours from now on, with that link; one that is here already gets the link. `stream`, `links`: as
   * its record says. Returns false when there is no room for it.
   */
  adoptGroup: {
    args: ResumedGroup & { readonly address: AddressWords; readonly isRelayed: boolean };
    result: boolean;
  };
  /** Nobody has the group that `foreign-group` told of, or nobody can be reached who does: its sender is to begin anew. */
  refuseForeign: { args: { readonly address: AddressWords; readonly isRelayed: boolean }; result: null };
  /** Another instance has the group: its SRT session is ended at both ends, its id stays good. */
  releaseGroup: { args: { readonly group: number }; result: boolean };
  /** While draining no new group comes up; those that are there live on, and take new links. */
  setDraining: { args: { readonly draining: boolean }; result: null };
  /** Ids sealed with the previous key stay good; those of keys before that do not, but for groups that are up. */
  setTokenKeys: { args: { readonly current: TokenKey; readonly previous: TokenKey | null }; result: null };
};
