/** `classic`: by window and packets in flight alone, as BELABOX does. `enhanced`: by quality, round trip and rate as well. */
export type SchedulingMode = 'classic' | 'enhanced';

export interface SenderOptions {
  readonly mode: SchedulingMode;
  /** The most that the encoder will send, 1e6 to 1e9: so much is kept for RING_MS, to go out again when a link dies. */
  readonly maxBitrateBps: number;
}

export const SENDER_DEFAULTS: SenderOptions = { mode: 'enhanced', maxBitrateBps: 50e6 };
