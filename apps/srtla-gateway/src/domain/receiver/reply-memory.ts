import { MAX_DATAGRAM_BYTES } from '@mediaplane/net';
import { ACK_BYTES } from '@mediaplane/srtla';

/**
 * Memory in which the receivers of a thread write what they send. What leaves at once shares one place; ACKs wait for the end of the
 * pass, so each has its own until as many more are written as a pass has datagrams.
 */
export class ReplyMemory {
  /** MAX_DATAGRAM_BYTES, for one reply at a time. */
  readonly reply: number;
  readonly #acks: number;
  readonly #places: number;
  #next = 0;

  /** @param offset of `ReplyMemory.bytes(batchSize)` bytes @param batchSize most datagrams of a pass */
  constructor(offset: number, batchSize: number) {
    this.reply = offset;
    this.#acks = offset + MAX_DATAGRAM_BYTES;
    this.#places = batchSize;
  }

  static bytes(batchSize: number): number {
    return MAX_DATAGRAM_BYTES + batchSize * ACK_BYTES;
  }

  /** Offset of ACK_BYTES. */
  nextAck(): number {
    const at = this.#acks + this.#next * ACK_BYTES;
    this.#next = (this.#next + 1) % this.#places;
    return at;
  }
}
