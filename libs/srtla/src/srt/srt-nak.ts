import { addSequence, SEQUENCE_MASK, sequenceDistance } from './sequence.ts';
import { SRT_HEADER_BYTES } from './srt-packet.ts';

/** Losses that one NAK is believed by default: above libsrt's default flow window of 25,600 packets. */
export const NAK_MAX_PACKETS = 32_768;

const WORD_BYTES = 4;
const EMPTY = new DataView(new ArrayBuffer(0));

/**
 * Walks the loss list of a NAK; made once and used for every one. The list begins behind the header, at byte 16: a sender in the
 * field reads from byte 4 and takes timestamp and socket id for losses.
 *
 *     reader.begin(view, offset, length);
 *     while (reader.next()) lost(reader.first, reader.last);
 *
 * A list that breaks (a range without its end, an end before its first, an end with bit 31) gives what stands before the break. So
 * does one that claims more than `maxPackets` in all: a range costs its writer eight bytes and its reader a loop. Zeros that a relay
 * appended to reach 32 bytes are not read as losses of packet 0, see `nakLengthWithoutPadding`.
 */
export class NakReader {
  /** Of the range that `next` has come to, inclusive; a single loss has both the same. `last` may be below `first` across a wrap. */
  first = 0;
  last = 0;

  private readonly maxPackets: number;
  private view: DataView = EMPTY;
  private position = 0;
  private end = 0;
  private remaining = 0;

  constructor(maxPackets = NAK_MAX_PACKETS) {
    this.maxPackets = maxPackets;
  }

  /** Starts on the NAK packet of `length` bytes at `offset`; one without a list has nothing to walk. */
  begin(view: DataView, offset: number, length: number): void {
    this.view = view;
    this.position = offset + SRT_HEADER_BYTES;
    this.end = offset + nakLengthWithoutPadding(view, offset, length);
    this.remaining = this.maxPackets;
  }

  /** Comes to the next range; false at the end, or where the rest makes no sense. */
  next(): boolean {
    // draft-sharabayko-srt-01, appendix A
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |0|                       Sequence Number                       | one packet
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    // |1|                    Sequence Number (first)                  | a range
    // |0|                    Sequence Number (last)                   |
    // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    const { view, position, end } = this;
    if (position + WORD_BYTES > end) return false;
    const word = view.getInt32(position);
    let last = word;
    let next = position + WORD_BYTES;
    if (word < 0) {
      if (next + WORD_BYTES > end) return this.stop();
      last = view.getInt32(next);
      next += WORD_BYTES;
    }
    const first = word & SEQUENCE_MASK;
    const packets = sequenceDistance(first, last & SEQUENCE_MASK) + 1;
    if (last < 0 || packets < 1 || packets > this.remaining) return this.stop();
    this.first = first;
    this.last = last;
    this.remaining -= packets;
    this.position = next;
    return true;
  }

  private stop(): false {
    this.position = this.end;
    return false;
  }
}

const counter = new NakReader();

/** Packets that a NAK reports, as far as its list is well-formed: 0 to NAK_MAX_PACKETS. */
export function countLosses(view: DataView, offset: number, length: number): number {
  let losses = 0;
  counter.begin(view, offset, length);
  while (counter.next()) losses += sequenceDistance(counter.first, counter.last) + 1;
  return losses;
}

/**
 * Length of a NAK without zero words that a relay appended (irlserver's receiver fills every datagram to 32 bytes). libsrt reads such
 * a word as "packet 0 is lost", and ends the session when packet 0 looks like one not yet sent, so a relay must forward no more than
 * this length. Packet 0 itself can be lost only where a list comes to it across the wrap, or has nothing else: there one zero stays.
 */
export function nakLengthWithoutPadding(view: DataView, offset: number, length: number): number {
  const words = length < SRT_HEADER_BYTES ? 0 : (length - SRT_HEADER_BYTES) >> 2;
  const list = offset + SRT_HEADER_BYTES;
  let used = words;
  while (used > 0 && view.getInt32(list + (used - 1) * WORD_BYTES) === 0) used--;
  if (used === words) return length;
  const before = used === 0 ? SEQUENCE_MASK : view.getInt32(list + (used - 1) * WORD_BYTES) & SEQUENCE_MASK;
  const reachesZero = before >= addSequence(0, -NAK_MAX_PACKETS);
  return SRT_HEADER_BYTES + (used + (reachesZero ? 1 : 0)) * WORD_BYTES;
}
