import type { AddressWords } from '@mediaplane/net';
import type { LinkSettings } from '../domain/sender/link-settings.ts';
import type { LinkState } from '../domain/sender/link.ts';
import type { EncoderLostReason, LinkLostReason, WeakReason } from '../domain/sender/sender-parts.ts';
import type { SchedulingMode, SenderOptions } from '../domain/sender/options.ts';

/**
 * The uplink's part of the contract. An uplink is a session with the socket that its encoder sends to; it is opened without links. A
 * link is added to it by a number of the control side's choice, and its socket is a `path` session beside it, which may be closed and
 * opened anew (another source address, another address of the receiver) while the link stays. A link without a path carries nothing.
 */

/** Where an encoder sends to. */
export interface UplinkInit {
  readonly kind: 'uplink';
  readonly options: SenderOptions;
}

/** The socket of one link. The link must have been added; a path that it has already is replaced. */
export interface PathInit {
  readonly kind: 'path';
  readonly uplinkId: string;
  readonly link: number;
  readonly receiver: AddressWords;
}

export type UplinkEvent =
  /** The receiver has given us a group: the first link follows. Again after the receiver forgot it. */
  | { readonly type: 'uplink-registered' }
  | { readonly type: 'uplink-link-up'; readonly link: number }
  | { readonly type: 'uplink-link-down'; readonly link: number; readonly reason: LinkLostReason }
  /** The receiver refuses a link that is not up, by REG_ERR (later perhaps) or REG_NAK (never). Once until it is up or replaced. */
  | { readonly type: 'uplink-link-refused'; readonly link: number; readonly forGood: boolean }
  /** Of little use to the stream: the scheduler gives it next to nothing until it is strong again. Enhanced mode only. */
  | { readonly type: 'uplink-link-weak'; readonly link: number; readonly reason: WeakReason }
  | { readonly type: 'uplink-link-strong'; readonly link: number }
  /** Suspect: no new data, and what it had in flight goes out again by others. `uplink-recovered` or `uplink-link-down` ends it. */
  | { readonly type: 'uplink-failover'; readonly link: number; readonly unprovenPackets: number }
  | { readonly type: 'uplink-recovered'; readonly link: number }
  | { readonly type: 'uplink-link-cap-reached'; readonly link: number; readonly capBytes: number }
  /** A handshake with the SRT server is complete. The stream id is as it came, secrets and all: whoever shows it redacts it. */
  | {
      readonly type: 'uplink-encoder-up';
      readonly address: AddressWords;
      readonly streamId: string | null;
      readonly latencyMs: number;
    }
  | { readonly type: 'uplink-encoder-down'; readonly reason: EncoderLostReason }
  /** No link takes the encoder's datagrams: they are dropped. Once, until a link does. */
  | { readonly type: 'uplink-no-link' };

export interface LinkStatistics {
  readonly link: number;
  readonly state: LinkState;
  /** Its `path` is open. */
  readonly hasPath: boolean;
  readonly suspect: boolean;
  /** null: it is not. */
  readonly weak: WeakReason | null;
  readonly capReached: boolean;
  /** Smoothed; -1 before the first sample. */
  readonly rttMs: number;
  /** Thousandths of a packet. */
  readonly window: number;
  readonly inFlightPackets: number;
  /** Sent since it was added: SRT datagrams, and all UDP payload with SRTLA's own. */
  readonly packets: number;
  readonly bytes: number;
  readonly receivedBytes: number;
  /** Packets of it that the SRT server reported lost. */
  readonly naks: number;
  /** Over the last second. */
  readonly bitrateBps: number;
  /** What it is thought to carry; 0 before anything is known. */
  readonly estimateBps: number;
  /** Since it last said anything; -1 when it never has. */
  readonly heardAgoMs: number;
  /** Sends that the kernel refused. */
  readonly failedSends: number;
  /** Datagrams that came to its sockets from another address than the receiver's, and where the last came from; null: none has. */
  readonly strangers: number;
  readonly stranger: AddressWords | null;
}

/** All counters since the uplink was opened. */
export interface UplinkStatistics {
  readonly mode: SchedulingMode;
  readonly registered: boolean;
  /** null while nobody has completed a handshake. */
  readonly encoder: { readonly address: AddressWords; readonly heardAgoMs: number } | null;
  /** Of the SRT session; libsrt's default before its handshake. */
  readonly latencyMs: number;
  /** Of the encoder, taken. */
  readonly packets: number;
  readonly bytes: number;
  /** Packets that the encoder itself sent again (R bit). */
  readonly retransmitted: number;
  /** Packets of suspect links that went out again by others, and that were too late for it. */
  readonly resent: number;
  readonly expired: number;
  /** Second copies, of retransmissions and key frames. */
  readonly duplicates: number;
  /** Datagrams of the encoder that no link took. */
  readonly dropped: number;
  /** Datagrams to the encoder's socket by others. */
  readonly strangers: number;
  readonly malformed: number;
  /** SRTLA that is unknown or answers nothing that was asked. */
  readonly unexpected: number;
  readonly refusals: number;
  /** Datagrams of the SRT server that the encoder got; copies, and those of a session before, that it did not get. */
  readonly answers: number;
  readonly answerCopies: number;
  readonly answersOfOthers: number;
  readonly links: readonly LinkStatistics[];
}

/**
 * Commands to an uplink's session. A refusal is a MediaError `command-failed` that says why: the number of a link is not 0 to
 * MAX_LINKS - 1 (a 17th link), there is such a link already, or there is none.
 */
export type UplinkCommands = {
  uplinkStatistics: { args: null; result: UplinkStatistics };
  setUplinkMode: { args: { readonly mode: SchedulingMode }; result: null };
  /** What comes in the next `durationMs` is precious: it goes out twice as far as the budget of duplicates goes. Only ever lengthens. */
  keyFrames: { args: { readonly durationMs: number }; result: null };
  addLink: { args: { readonly link: number; readonly settings: LinkSettings }; result: null };
  updateLink: { args: { readonly link: number; readonly settings: LinkSettings }; result: null };
  /** Close its path first, or with it: what the link had in flight goes out again by others. */
  removeLink: { args: { readonly link: number }; result: null };
};
