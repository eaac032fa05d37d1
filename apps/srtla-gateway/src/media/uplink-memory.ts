import type { PacketIo } from '@mediaplane/net';
import { REGISTRATION_BYTES } from '@mediaplane/srtla';

/** What the uplinks of a thread have of its arena, which takes nothing back: the ring of one that has ended is another's. */
export class UplinkMemory {
  /** REGISTRATION_BYTES, for one packet at a time. */
  readonly scratch: number;
  readonly #io: PacketIo;
  /** Offsets by size. */
  readonly #rings = new Map<number, number[]>();

  constructor(io: PacketIo) {
    this.#io = io;
    this.scratch = io.reserve(REGISTRATION_BYTES);
  }

  /** @param byteLength as PacketRing.bytesFor gives it, so that there are few sizes @throws RangeError when the arena is full */
  takeRing(byteLength: number): number {
    return this.#rings.get(byteLength)?.pop() ?? this.#io.reserve(byteLength);
  }

  giveRing(offset: number, byteLength: number): void {
    const rings = this.#rings.get(byteLength);
    if (rings === undefined) this.#rings.set(byteLength, [offset]);
    else rings.push(offset);
  }
}
