import { HEADROOM_BYTES, MAX_DATAGRAM_BYTES, SOURCE_WORDS } from './packet-io.ts';
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

/** @throws RangeError */
export function checkRun(segmentBytes: number, totalBytes: number): void {
  if ((segmentBytes | 0) !== segmentBytes || segmentBytes < 1 || (totalBytes | 0) !== totalBytes || totalBytes < 0) {
    throw new RangeError(`a run of ${totalBytes} bytes in segments of ${segmentBytes}`);
  }
}
