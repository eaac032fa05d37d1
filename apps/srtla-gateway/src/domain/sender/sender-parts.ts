import type { Encoder } from './encoder.ts';
import type { SenderLink } from './link.ts';
import type { SenderOptions } from './options.ts';

/** Where a sender's datagrams leave. Offsets are into the memory that it was made with. */
export interface SenderOutput {
  /** From the link's socket, before the call returns. */
  control(link: SenderLink, offset: number, length: number): void;
  /** From the link's socket, at the end of the pass at the latest. */
  toReceiver(link: SenderLink, offset: number, length: number): void;
  /** To the encoder, at the end of the pass at the latest. */
  toEncoder(offset: number, length: number): void;
}

export type LinkLostReason = 'silent' | 'refused' | 'group-lost' | 'no-path' | 'disabled' | 'removed';
/** Of a link that is of little use: its round trip, its queue, its share of the stream, its losses. */
export type WeakReason = 'rtt' | 'queue' | 'share' | 'loss';
/** `replaced`: it was silent, and another shook hands. */
export type EncoderLostReason = 'silent' | 'shutdown' | 'replaced';

export interface SenderEvents {
  /** The receiver has given a group: links follow. */
  registered(): void;
  linkUp(link: SenderLink): void;
  linkDown(link: SenderLink, reason: LinkLostReason): void;
  /** A link that is not up is refused by the receiver; once until it has been up, or has another path. */
  linkRefused(link: SenderLink, forGood: boolean): void;
  linkWeak(link: SenderLink, reason: WeakReason): void;
  linkStrong(link: SenderLink): void;
  /** The link takes no new data; what it has in flight goes out again by others. */
  failover(link: SenderLink): void;
  /** A link that was suspect has proven itself. */
  recovered(link: SenderLink): void;
  capReached(link: SenderLink): void;
  /** The encoder has completed a handshake with the SRT server. */
  encoderUp(encoder: Encoder): void;
  encoderDown(reason: EncoderLostReason): void;
  /** Datagrams of the encoder are dropped, for no link takes them; once until one does. */
  noLink(): void;
}

export class SenderCounters {
  /** Datagrams of the encoder, with those that no link could take. */
  packets = 0;
  bytes = 0;
  noLink = 0;
  /** Packets that the encoder has sent again itself. */
  retransmitted = 0;
  /** Second copies of packets that are precious. */
  duplicates = 0;
  /** Neither SRT nor SRTLA, or not whole. */
  malformed = 0;
  /** SRTLA that only receivers get, that nobody knows, or that answers nothing we asked. */
  unexpected = 0;
  /** REG_ERR and REG_NAK. */
  refusals = 0;
  /** Packets of a suspect link that went out again by another. */
  resent = 0;
  /** Packets of a suspect link that were too late to go out again. */
  expired = 0;
  /** What the encoder got of its server; what it did not get, for it had it already, or for it was another session's. */
  answers = 0;
  answerCopies = 0;
  answersOfOthers = 0;
}

export interface SenderParts {
  readonly options: SenderOptions;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** REGISTRATION_BYTES of the memory, for one packet at a time. */
  readonly scratch: number;
  /** `PacketRing.bytesFor` the options' rate, the sender's own. */
  readonly ring: number;
  readonly output: SenderOutput;
  readonly events: SenderEvents;
  /** GROUP_ID_BYTES that nobody can guess; asked for again for every new group. */
  newId(): Uint8Array;
}
