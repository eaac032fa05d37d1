/** Limits and times of a listener; the defaults are those of the receivers that senders know. */
export interface ReceiverOptions {
  readonly maxGroups: number;
  readonly maxLinksPerGroup: number;
  /** Groups that have brought no SRT data yet: what somebody who only shakes hands can take. */
  readonly maxHalfOpenGroups: number;
  /** A link that is silent this long is over. */
  readonly linkTimeoutUs: number;
  /** A group without a link lives on this long, for its sender may come back by another. */
  readonly groupTimeoutUs: number;
  /** A group that brings no SRT data in this time is over. */
  readonly halfOpenTimeoutUs: number;
  /** How often links that are not among the freshest get a copy of the server's acknowledgements; 0: always. */
  readonly ackCopyIntervalUs: number;
  /** SRTLA's own replies are zero-filled to 32 bytes, for carrier NATs that drop tiny datagrams. */
  readonly padReplies: boolean;
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
};
