import { SEQUENCE_MASK } from './sequence.ts';
import { controlInformation, SRT_HEADER_BYTES } from './srt-packet.ts';

// draft-sharabayko-srt-01, section 3.2.4
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+- CIF -+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |0|          Last Acknowledged Packet Sequence Number           | light ACK: ends here
// |                              RTT                              |
// |                          RTT Variance                         |
// |                     Available Buffer Size                     | small ACK: ends here
// |                     Packets Receiving Rate                    |
// |                     Estimated Link Capacity                   |
// |                         Receiving Rate                        | full ACK
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const ACKNOWLEDGED_OFFSET = SRT_HEADER_BYTES;
const RTT_OFFSET = 20;
const RTT_VARIANCE_OFFSET = 24;

export const LIGHT_ACK_BYTES = 20;
export const SMALL_ACK_BYTES = 32;
export const FULL_ACK_BYTES = 44;

/**
 * The first packet that is still missing: everything BELOW this arrived or was given up, this one did not. Of any ACK; a packet of
 * this very number is not proven, and no round trip can be measured on it.
 */
export function acknowledgedSequence(view: DataView, offset: number): number {
  return view.getUint32(offset + ACKNOWLEDGED_OFFSET) & SEQUENCE_MASK;
}

/** Counts from 1 and is what the ACKACK answers; 0 of a light ACK. libsrt numbers small ones too, though the draft says 0. */
export function ackNumber(view: DataView, offset: number): number {
  return controlInformation(view, offset);
}

/** Number of the ACK that an ACKACK answers. */
export function ackackNumber(view: DataView, offset: number): number {
  return controlInformation(view, offset);
}

/**
 * Whether an ACK says nothing but its sequence number. One that a relay has filled with zeros to 32 bytes (carrier NATs drop shorter
 * datagrams) looks like a small ACK with a round trip of 0 and is light all the same.
 */
export function isLightAck(view: DataView, offset: number, length: number): boolean {
  return length < FULL_ACK_BYTES && ackRttUs(view, offset, length) === 0;
}

/** Round trip between the SRT ends as their receiver reckons it, in microseconds; 0 when the ACK does not say. */
export function ackRttUs(view: DataView, offset: number, length: number): number {
  return length < SMALL_ACK_BYTES ? 0 : view.getUint32(offset + RTT_OFFSET);
}

/** Variance of that round trip in microseconds; 0 when the ACK does not say. */
export function ackRttVarianceUs(view: DataView, offset: number, length: number): number {
  return length < SMALL_ACK_BYTES ? 0 : view.getUint32(offset + RTT_VARIANCE_OFFSET);
}
