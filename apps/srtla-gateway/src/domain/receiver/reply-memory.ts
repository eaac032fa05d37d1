import { ACK_BYTES, REGISTRATION_BYTES } from '@mediaplane/srtla';

/**
 * Memory in which the receivers of a thread write what they send. Short replies share one place, for they leave at once; ACKs wait for
 * the end of the pass, so each has its own until as many more are written as a pass has datagrams.
 */
export class ReplyMemory {
  /** REGISTRATION_BYTES, for one reply at a time. */
  readonly reply: number;
  readonly #acks: number;
  readonly #places: number;
  #next = 0;

  /** @param offset of `ReplyMemory.bytes(batchSize)` bytes @param batchSize most datagrams of a pass */
  constructor(offset: number, batchSize: number) {
    this.reply = offset;
    this.#acks = offset + REGISTRATION_BYTES;
    this.#places = batchSize;
  }

  static bytes(batchSize: number): number {
    return REGISTRATION_BYTES + batchSize * ACK_BYTES;
  }

  /** Offset of ACK_BYTES. */
  nextAck(): number {
    const at = this.#acks + this.#next * ACK_BYTES;
    this.#next = (this.#next + 1) % this.#places;
    return at;
  }
}
