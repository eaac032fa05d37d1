import type { AddressWords } from '@mediaplane/net';
import type { RelayGateParts, RelayPeer } from '../relay/relay-gate.ts';
import type { Group, Link } from './group.ts';
import type { Conclusion, IngestAttempt, IngestEnd, RefusedBy, SrtStream } from './ingest-state.ts';
import type { ReceiverOptions } from './options.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** Where a receiver's datagrams leave. Offsets are into the memory that it was made with. */
export interface ReceiverOutput {
  /** From the listener's socket, or its relay socket, before the call returns. */
  reply(to: AddressWords, isRelayed: boolean, offset: number, length: number): void;
  /** As `reply`, to a link. */
  toLinkNow(link: Link, offset: number, length: number): void;
  /** From the socket that the link talks to, at the end of the pass at the latest. */
  toLink(link: Link, offset: number, length: number): void;
  /** From the group's own socket to its SRT server, at the end of the pass at the latest. */
  toServer(group: Group, offset: number, length: number): void;
  /** As `toServer`, before the call returns. */
  toServerNow(group: Group, offset: number, length: number): void;
}

/** Makes and knows the receiver's half of group ids. */
export interface GroupIds {
  /** Completes an id: `id` holds the sender's half. */
  issue(id: Uint8Array): void;
  /** The instance that issued it; null when none that shares the key did, or it is good no more. */
  issuer(id: Uint8Array): string | null;
  /** Ours. */
  readonly instanceId: string;
}

/** `moved`: its address registered with another group, or its sender comes by another way. */
export type LinkDownReason = 'silent' | 'moved' | 'group-down';
/**
 * `no-stream`: no SRT session came to stand, and others needed the room. `stream-ended`: the same, after the end of one.
 * `released`: another instance has it.
 */
export type GroupDownReason = 'no-stream' | 'stream-ended' | 'no-links' | 'kicked' | 'released';

/** What happens to groups and links; none of it per packet. */
export interface ReceiverEvents {
  groupUp(group: Group): void;
  linkUp(link: Link): void;
  linkDown(link: Link, reason: LinkDownReason): void;
  lateLinkRefused(group: Group, address: AddressWords): void;
  /** REG2 of a group that another instance began and that is not here; not answered. `peer`: it came by the relay socket. */
  foreignGroup(key: string, issuer: string, from: AddressWords, peer: RelayPeer | undefined): void;
  /** What links send has come from an address of none, and other instances can be asked. Told now and then: see `Strangers`. */
  stranger(from: AddressWords): void;
  ingestRequest(group: Group, attempt: IngestAttempt, conclusion: Conclusion): void;
  /** `setupUs`: since the encoder was heard first; where rules decide, since its conclusion. */
  ingestAccepted(group: Group, stream: SrtStream, conclusion: Conclusion, setupUs: number): void;
  /** `reason`: a RejectionReason, or another that the server gave. */
  ingestRefused(group: Group, conclusion: Conclusion, reason: number, by: RefusedBy): void;
  /** An encoder has called for some time, and the server says nothing. Once for each socket of an encoder. */
  ingestUnanswered(group: Group): void;
  ingestEnded(group: Group, by: IngestEnd): void;
  groupDown(group: Group, reason: GroupDownReason): void;
}

/** Of datagrams that came to nothing, by cause. */
export class ReceiverCounters {
  /** No link has this address. */
  strangers = 0;
  /** Neither SRT nor SRTLA, too short for what it says it is, or a handshake that cannot be read. */
  malformed = 0;
  /** SRTLA that only senders get, or that nobody knows. */
  unexpected = 0;
  /** REG2 with an id that was not issued, is too old, or has ended. */
  unknownGroups = 0;
  /** REG1 and REG2 beyond the rates; not answered. */
  rateLimited = 0;
  /** REG1, and REG2 of a group that is not up, while draining. */
  draining = 0;
  /** Refused with REG_ERR: no room. */
  full = 0;
  /** Refused with REG_ERR: the address belongs to another group. */
  taken = 0;
  /** Refused with REG_ERR: the SRT session stood already. */
  late = 0;
  /** SRT of no session that stands, from links and from servers. */
  notAccepted = 0;
  /** Refusals that an encoder got without a new request: it had come again. */
  refusalRepeats = 0;
}

/** What a receiver and its parts are made with. */
export interface ReceiverParts {
  readonly options: ReceiverOptions;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of those bytes. */
  readonly memory: ReplyMemory;
  readonly ids: GroupIds;
  /** How other instances hand on datagrams to this one; null: they cannot. */
  readonly relay: Pick<RelayGateParts, 'options' | 'seals'> | null;
  readonly output: ReceiverOutput;
  readonly events: ReceiverEvents;
  /** Any random number. */
  readonly seed: number;
}
