import type { RegistrationRates } from './registration-rates.ts';

/** Limits, times and ways of a listener; the defaults are those of the receivers that senders know. */
export interface ReceiverOptions {
  readonly maxGroups: number;
  readonly maxLinksPerGroup: number;
  /** Groups in which no SRT session has stood yet: what somebody who only registers can take. */
  readonly maxHalfOpenGroups: number;
  /** A link that is silent this long is over. */
  readonly linkTimeoutUs: number;
  /**
   * A group without a link lives on this long, for its sender may come back; one whose SRT session has ended makes room for another after
   * that, and is over while draining.
   */
  readonly groupTimeoutUs: number;
  /** The same for a group in which no SRT session has come to stand yet. */
  readonly halfOpenTimeoutUs: number;
  /** How often links that are not among the freshest get a copy of the server's acknowledgements; 0: always. */
  readonly ackCopyIntervalUs: number;
  /** SRTLA's own replies are zero-filled to 32 bytes, for carrier NATs that drop tiny datagrams. */
  readonly padReplies: boolean;
  /** `pass`: handshakes go to the group's server as they are. `decide`: the gateway takes them, and asks. */
  readonly ingest: 'pass' | 'decide';
  /** How long an encoder is kept waiting for a verdict, and for the server after it; both since its first conclusion. */
  readonly verdictTimeoutUs: number;
  readonly serverTimeoutUs: number;
  /** How long a refusal answers repeats: a refused encoder may come back at once, and again and again. */
  readonly refusalMemoryUs: number;
  /** A link that joins when the SRT session stands already is refused, unless it was of the group before. */
  readonly refuseLateLinks: boolean;
  /** A group that another instance began: taken for ours (there is no other), or told, for others may have it. */
  readonly foreignGroups: 'adopt' | 'tell';
  /** What a REG1 gets while draining: nothing, so that senders try another address, or REG_NAK, which not every sender understands. */
  readonly drainingReply: 'silence' | 'nak';
  readonly registrationRates: RegistrationRates;
}

export const RECEIVER_DEFAULTS: ReceiverOptions = {
  maxGroups: 200,
  maxLinksPerGroup: 16,
  maxHalfOpenGroups: 100,
  linkTimeoutUs: 15e6,
  groupTimeoutUs: 30e6,
  halfOpenTimeoutUs: 10e6,
  ackCopyIntervalUs: 100_000,
  padReplies: true,
  ingest: 'pass',
  // libsrt gives up 3 s after its first induction; that comes half a second before the conclusion where it was repeated, and where the links
  // are slow, the answer takes as long again.
  verdictTimeoutUs: 2.2e6,
  serverTimeoutUs: 2.5e6,
  refusalMemoryUs: 10e6,
  refuseLateLinks: false,
  foreignGroups: 'adopt',
  drainingReply: 'silence',
  // All 200 groups of 16 links may sit behind one address of carrier-grade NAT and come back at once, each link with a REG2 that nobody
  // knows and every group with a REG1 after it: 3400; senders repeat every second. What gets through of a network costs 2.5 % of a core
  // at the most, of all the world 13 %.
  registrationRates: {
    source: { perSecond: 500, burst: 4000 },
    network: { perSecond: 1000, burst: 6000 },
    listener: { perSecond: 5000, burst: 8000 },
  },
};
