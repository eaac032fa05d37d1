/**
 * SRT packet sequence numbers: 31 bits, on a circle (draft-sharabayko-srt-01, section 3.1). An encoder starts anywhere on it, so
 * the wrap from 2^31 - 1 to 0 comes in the middle of ordinary sessions.
 */
export const SEQUENCE_MASK = 0x7fffffff;

/**
 * A packet further than this from the newest one, in either direction, belongs to another session (an encoder that restarted with
 * another initial number), not to this one across a wrap. Five times libsrt's default flow window (25,600 packets, which nobody in
 * flight exceeds) and 13 s of 10,000 packets a second, so silence does not look like a restart; a restart that lands this close by
 * chance (1 in 8,192) is told by its handshake.
 */
export const SEQUENCE_RESTART_PACKETS = 1 << 17;

export function nextSequence(sequence: number): number {
  return (sequence + 1) & SEQUENCE_MASK;
}

/** `packets` may be negative, as far as an int32 goes. */
export function addSequence(sequence: number, packets: number): number {
  return (sequence + packets) & SEQUENCE_MASK;
}

/** How many packets from `from` to `to` the short way round: -2^30 to 2^30 - 1, negative when `to` is the older one. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 1) >> 1;
}

export function isSequenceBefore(a: number, b: number): boolean {
  return sequenceDistance(a, b) > 0;
}

/** Whether `sequence` cannot belong to the session whose newest packet is `newest`. */
export function isSequenceRestart(newest: number, sequence: number): boolean {
  const distance = sequenceDistance(newest, sequence);
  return distance > SEQUENCE_RESTART_PACKETS || distance < -SEQUENCE_RESTART_PACKETS;
}
