import type { MediaThread } from '@mediaplane/media';
import type { PacketIo } from '@mediaplane/net';
import { MAX_RTCP_BYTES, RtpHeader } from '@mediaplane/rtp';
import { CHANNEL_COUNTERS, SAMPLE_RATE_HZ } from './contract.ts';

/** Samples of the longest datagram. */
const PCM_SAMPLES = 2048;

/** Places of the program's counters, by name. */
export const Counter = Object.fromEntries(CHANNEL_COUNTERS.map((name, index) => [name, index])) as Record<
  (typeof CHANNEL_COUNTERS)[number],
  number
>;

/** What the channels of one thread share and use one at a time: no packet keeps any of it beyond its turn. */
export class ThreadTools {
  readonly thread: MediaThread;
  readonly io: PacketIo;
  readonly counters: Float64Array;
  readonly header = new RtpHeader();
  /** Arena offset where packets of the channel's own making are written; the longest is a compound RTCP packet. */
  readonly outgoing: number;
  /** Decoded audio of the packet at hand. */
  readonly pcm = new Int16Array(PCM_SAMPLES);
  /** A frame on its way from a player to the encoder. */
  readonly frame = new Int16Array((40 * SAMPLE_RATE_HZ) / 1000);

  constructor(thread: MediaThread) {
    this.thread = thread;
    this.io = thread.io;
    this.counters = thread.counters;
    this.outgoing = thread.io.reserve(MAX_RTCP_BYTES);
  }

  unixMs(monotonicUs: number): number {
    return (monotonicUs + this.thread.unixOffsetUs) / 1000;
  }
}
