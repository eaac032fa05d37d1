import { AF_INET, AF_INET6, TO_PEER } from '@mediaplane/native';
import type { DestinationFamily } from '@mediaplane/native';

const FIRST_CAPACITY = 64;
const NONE = -1;
/** Equal to no pass that a new socket could follow. */
const NEVER = -2;

/** A socket's record: 8 int32, so that all that a packet needs of a socket lies in one cache line. */
const WORDS = 8;
const FD = 0;
const FAMILY = 1;
const TAG = 2;
/** 1 until UDP_SEGMENT has been refused. */
const SEGMENTS = 3;
/** The pass in which the socket was last found ready. */
const LAST_PASS = 4;
const FAILED_SENDS = 5;
/** 1 where what is queued gathers in runs. */
const GATHERS_RUNS = 6;

/** The attached sockets of a NativePacketIo; an index is used again after `remove`. */
export class SocketTable {
  #records = new Int32Array(FIRST_CAPACITY * WORDS).fill(NONE);
  readonly #free: number[] = [];
  #used = 0;

  add(fd: number, family: DestinationFamily, tag: number, gso: boolean, gathersRuns: boolean): number {
    const index = this.#free.pop() ?? this.#used++;
    if (index * WORDS === this.#records.length) this.#grow();
    this.#records.set([fd, family, tag, gso ? 1 : 0, NEVER, 0, gathersRuns ? 1 : 0], index * WORDS);
    return index;
  }

  remove(index: number): void {
    this.#records[index * WORDS + FD] = NONE;
    this.#free.push(index);
  }

  /** @returns the descriptor, or -1 where no socket is */
  fd(index: number): number {
    // A fraction of an index would be another field.
    const fd = index === (index | 0) ? (this.#records[index * WORDS + FD] as number | undefined) : NONE;
    return fd ?? NONE;
  }

  /** Of the addresses that it sends to: TO_PEER for a connected one. */
  family(index: number): DestinationFamily {
    const family = this.#records[index * WORDS + FAMILY];
    return family === TO_PEER ? TO_PEER : family === AF_INET6 ? AF_INET6 : AF_INET;
  }

  tag(index: number): number {
    return this.#records[index * WORDS + TAG];
  }

  segments(index: number): boolean {
    return this.#records[index * WORDS + SEGMENTS] === 1;
  }

  /** For good. */
  refuseSegments(index: number): void {
    this.#records[index * WORDS + SEGMENTS] = 0;
  }

  gathersRuns(index: number): boolean {
    return this.#records[index * WORDS + GATHERS_RUNS] === 1;
  }

  lastPass(index: number): number {
    return this.#records[index * WORDS + LAST_PASS];
  }

  setLastPass(index: number, pass: number): void {
    this.#records[index * WORDS + LAST_PASS] = pass;
  }

  failedSends(index: number): number {
    return this.#records[index * WORDS + FAILED_SENDS];
  }

  countFailedSends(index: number, datagrams: number): void {
    this.#records[index * WORDS + FAILED_SENDS] += datagrams;
  }

  #grow(): void {
    const records = new Int32Array(this.#records.length * 2).fill(NONE);
    records.set(this.#records);
    this.#records = records;
  }
}
