/** UDP payload of a packet: seven of an MPEG transport stream, as encoders send them. */
export const NUMBERED_BYTES = 1316;
/** The number of packets that are not counted: sent until the way stands. */
export const UNCOUNTED = 0xffff_ffff;

/** Orders for the source of numbered packets, which sends uncounted ones from its start on. */
export interface ToNumberedSource {
  readonly type: 'number';
  readonly packets: number;
}
export type FromNumberedSource = { readonly type: 'numbered' };

/** Orders for the sink of numbered packets, once the last of them has been sent. */
export interface ToNumberedSink {
  readonly type: 'count';
  readonly packets: number;
  /** How long to wait for more when none comes. */
  readonly idleMs: number;
}
export type FromNumberedSink = { readonly type: 'flowing' } | { readonly type: 'counted'; readonly received: number };
