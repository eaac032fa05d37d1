import type { LinkStatistics, UplinkStatistics } from '../media/uplink-contract.ts';
import type { LinkSettings, UplinkSettings } from './settings.ts';

/**
 * - `disabled`: by its settings.
 * - `no-socket`: `problem` says why; it is tried again each second.
 * - `registering`: the receiver has not let it in yet.
 * - `up`, and three ways to be up without being of use: `weak` gets next to nothing, `suspect` no new data, `capped` none any more.
 */
export type LinkPhase = 'disabled' | 'no-socket' | 'registering' | 'up' | 'weak' | 'suspect' | 'capped';

/** A link as it is. Its media thread is asked once a second. */
export interface LinkView {
  /** 0 to 15; that of a removed link is given to another. */
  readonly number: number;
  /** `name` is never ''. */
  readonly settings: LinkSettings;
  readonly phase: LinkPhase;
  /** Why it has no socket, or why what it sends may never arrive; '' when all is well. */
  readonly problem: string;
  /** Of its socket; null without one. */
  readonly socket: LinkSocketView | null;
  /** Since when it is up, Unix time; 0 while it is not. */
  readonly upSinceMs: number;
  /** UDP payload both ways since the uplink was created, over all sockets that it had: what its data cap is about. */
  readonly usedBytes: number;
  /** Of what all links send now, 0 to 1. */
  readonly share: number;
  /** Reported lost in the last second. */
  readonly naksPerSecond: number;
  /** null until the media thread has told. */
  readonly statistics: LinkStatistics | null;
}

export interface LinkSocketView {
  /** Ours, without the port. */
  readonly source: string;
  readonly sourcePort: number;
  /** The network interface that it is bound to; '': none, its routes decide. */
  readonly device: string;
  /** `203.0.113.7:5000` */
  readonly receiver: string;
  /** What the kernel granted. */
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
}

export interface UplinkView {
  readonly uplinkId: string;
  /** As set; of the links only that which is there now. */
  readonly settings: UplinkSettings;
  /** Where the encoder sends to. */
  readonly listenAddress: string;
  readonly listenPort: number;
  readonly createdMs: number;
  readonly registered: boolean;
  /** Addresses of the receiver; none while it is not resolved, and then `problem` says why. */
  readonly receiverAddresses: readonly string[];
  readonly problem: string;
  readonly encoder: EncoderView | null;
  readonly links: readonly LinkView[];
  /** What its links send, over the last second. */
  readonly bitrateBps: number;
  /** null until the media thread has told. */
  readonly statistics: Omit<UplinkStatistics, 'links'> | null;
}

export interface EncoderView {
  readonly address: string;
  /** Redacted; null when it sent none. */
  readonly streamId: string | null;
  readonly latencyMs: number;
}
