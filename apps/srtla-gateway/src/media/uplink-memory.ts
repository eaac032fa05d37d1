import type { PacketIo } from '@mediaplane/net';
import { REGISTRATION_BYTES } from '@mediaplane/srtla';
import { RING_BYTES } from '../domain/sender/sender.ts';

/** What the uplinks of a thread have of its arena, which gives and takes nothing back. */
export class UplinkMemory {
  /** REGISTRATION_BYTES, for one packet at a time. */
  readonly scratch: number;
  readonly #io: PacketIo;
  readonly #rings: number[] = [];

  constructor(io: PacketIo) {
    this.#io = io;
    this.scratch = io.reserve(REGISTRATION_BYTES);
  }

  /** RING_BYTES, of an uplink that has ended or new. @throws RangeError when the arena is full */
  takeRing(): number {
    return this.#rings.pop() ?? this.#io.reserve(RING_BYTES);
  }

  giveRing(offset: number): void {
    this.#rings.push(offset);
  }
}
