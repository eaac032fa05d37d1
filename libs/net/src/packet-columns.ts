import { HEADROOM_BYTES, MAX_DATAGRAM_BYTES } from './packet-io.ts';
import { SOURCE_WORDS } from './socket-address.ts';
import type { PacketBatch, PacketIoCounters } from './packet-io.ts';

/** What both implementations of PacketIo are made of: batch, counters, slots and the checks of their arguments. */

/** One received datagram with its headroom. */
export const SLOT_BYTES = HEADROOM_BYTES + MAX_DATAGRAM_BYTES;

export const DEFAULT_BATCH_SIZE = 256;
/** Datagrams of one socket in one pass: a flooded port gets no more. */
export const DEFAULT_MAX_PER_SOCKET = 32;
/** Receive slots and what a media thread reserves. */
export const DEFAULT_ARENA_BYTES = 2 * 1024 * 1024;
const MAX_TAG = 2 ** 30 - 1;

export function createBatch(size: number): PacketBatch {
  return {
    count: 0,
    offset: new Int32Array(size),
    length: new Int32Array(size),
    tag: new Int32Array(size),
    source: new Int32Array(size * SOURCE_WORDS),
  };
}

export function createCounters(): PacketIoCounters {
  return {
    received: 0,
    receivedBytes: 0,
    sent: 0,
    sentBytes: 0,
    sendWouldBlock: 0,
    sendRefused: 0,
    sendTooBig: 0,
    sendFailed: 0,
    gsoRefused: 0,
    receiveFailed: 0,
    truncated: 0,
    overflowed: 0,
    backlogs: 0,
  };
}

/** @throws RangeError */
export function checkTag(tag: number): void {
  if (!Number.isInteger(tag) || tag < 0 || tag > MAX_TAG) throw new RangeError(`tag ${tag}: must be 0 to ${MAX_TAG}`);
}

/** Refuses a run that is not wholly inside the arena before any of it is sent. @throws RangeError */
export function checkRun(offset: number, segmentBytes: number, totalBytes: number, arenaBytes: number): void {
  checkRange(offset, totalBytes, arenaBytes);
  if ((segmentBytes | 0) !== segmentBytes || segmentBytes < 1) {
    throw new RangeError(`a run in segments of ${segmentBytes} bytes: must be a positive integer`);
  }
}

/** @throws RangeError */
export function checkRange(offset: number, length: number, arenaBytes: number): void {
  const whole = (offset | 0) === offset && (length | 0) === length;
  if (!whole || offset < 0 || length < 0 || offset + length > arenaBytes) {
    throw new RangeError(`offset ${offset}, length ${length} is outside an arena of ${arenaBytes} bytes`);
  }
}
