import { SrtlaType } from './srtla-packet.ts';

/** What a receiver sends at once; a reader takes any number. */
export const ACK_SEQUENCES = 10;
const HEADER_BYTES = 4;
const SEQUENCE_BYTES = 4;
export const ACK_BYTES = HEADER_BYTES + ACK_SEQUENCES * SEQUENCE_BYTES;

/** How many sequence numbers an ACK of this length has; a word that is not whole at its end is left out. */
export function ackCount(length: number): number {
  return length < HEADER_BYTES ? 0 : Math.floor((length - HEADER_BYTES) / SEQUENCE_BYTES);
}

/** Sequence number `index` of an ACK, 31 bits. */
export function ackSequence(view: DataView, offset: number, index: number): number {
  return view.getUint32(offset + HEADER_BYTES + index * SEQUENCE_BYTES) & 0x7fffffff;
}

/** Collects what came by one link until there is an ACK to send. */
export class AckBatch {
  readonly #sequences = new Uint32Array(ACK_SEQUENCES);
  #count = 0;

  /** Returns whether it is full: the caller sends it with `write`. */
  add(sequence: number): boolean {
    this.#sequences[this.#count] = sequence;
    this.#count += 1;
    return this.#count === ACK_SEQUENCES;
  }

  /** Writes the ACK of a full batch and empties it. Returns ACK_BYTES. */
  write(view: DataView, offset: number): number {
    view.setUint16(offset, SrtlaType.ack);
    view.setUint16(offset + 2, 0);
    for (let i = 0; i < ACK_SEQUENCES; i += 1) {
      view.setUint32(offset + HEADER_BYTES + i * SEQUENCE_BYTES, this.#sequences[i]);
    }
    this.#count = 0;
    return ACK_BYTES;
  }
}
