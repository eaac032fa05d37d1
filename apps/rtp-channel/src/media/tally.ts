/** "Not yet", as a monotonic time. */
export const NEVER = -Infinity;

/** What a channel counts and remembers of its media. The latch, the streams and RTCP have counters of their own. */
export class Tally {
  // First the two that every packet needs.
  /** Nothing heard since open, since a new remote, or since silence was reported. */
  silent = true;
  /** Of the last audio packet; -1 before it. */
  lastPayloadType = -1;
  /** Dropped datagrams, by cause. */
  malformed = 0;
  unknownPayloadType = 0;
  againstDirection = 0;
  /** Packets that the kernel did not take, on the threads before this one. */
  sendErrors = 0;
  /** Of recordings that are over: packets too late for their place. */
  latePackets = 0;
  /** Milliseconds of frames that have come due and are less than a packet. */
  dueMs = 0;
  firstReceivedUs = NEVER;
  firstSentUs = NEVER;
}
