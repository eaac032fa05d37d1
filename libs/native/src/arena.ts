import { markAsUntransferable } from 'node:worker_threads';
import { libc } from './libc.ts';

/**
 * Keeps every living arena referenced. V8 frees an ArrayBuffer after its last use in JavaScript, even while its address is
 * still held as a number: a prototype crashed this way after 18,000 rounds.
 */
const living = new Set<Arena>();

const ALIGNMENT_BYTES = 8;
const MAX_ARENA_BYTES = 2 ** 30;

/** The address of a checked range. Private to this library (index.ts does not export it). @throws RangeError */
export let addressIn: (arena: Arena, offset: number, length: number) => number;

/**
 * Memory that the kernel reads and writes: allocated once, never moved, never grown, alive until `close`. Gives out
 * offsets, never addresses; whoever passes an offset and a length to a call of this library has them checked here.
 */
export class Arena {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly byteLength: number;
  #reserved = 0;
  #address: number;
  /** `byteLength` while open, then -1, so that one comparison refuses every range of a closed arena. */
  #limit: number;

  static {
    addressIn = (arena, offset, length) => {
      // `| 0` refuses NaN, fractions and what exceeds 31 bits; the sum cannot overflow a double.
      if (
        (offset | 0) !== offset ||
        (length | 0) !== length ||
        offset < 0 ||
        length < 0 ||
        offset + length > arena.#limit
      ) {
        throw new RangeError(`offset ${offset}, length ${length} is outside an arena of ${arena.#limit} bytes`);
      }
      return arena.#address + offset;
    };
  }

  /** `byteLength`: 8 to 2^30 bytes. @throws RangeError */
  constructor(byteLength: number) {
    if ((byteLength | 0) !== byteLength || byteLength < ALIGNMENT_BYTES || byteLength > MAX_ARENA_BYTES) {
      throw new RangeError(`arena of ${byteLength} bytes: must be ${ALIGNMENT_BYTES} to ${MAX_ARENA_BYTES}`);
    }
    const buffer = new ArrayBuffer(byteLength);
    markAsUntransferable(buffer);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.byteLength = byteLength;
    this.#limit = byteLength;
    this.#address = libc().addressOf(buffer);
    living.add(this);
  }

  /** The next free `byteLength` bytes, 8-byte aligned, zeroed, never given back. @throws RangeError when the arena is full. */
  reserve(byteLength: number): number {
    const offset = this.#reserved;
    if ((byteLength | 0) !== byteLength || byteLength < 0 || offset + byteLength > this.#limit) {
      throw new RangeError(
        `cannot reserve ${byteLength} bytes: ${this.#limit - offset} of ${this.byteLength} are free`,
      );
    }
    this.#reserved = (offset + byteLength + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
    return offset;
  }

  /** From here on every use with a call of this library throws; the memory is V8's to free. Idempotent. */
  close(): void {
    this.#limit = -1;
    this.#address = 0;
    living.delete(this);
  }
}
