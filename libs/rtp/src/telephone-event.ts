import { ParseError } from './errors.ts';

export const TELEPHONE_EVENT_BYTES = 4;
/** The longest duration that a payload can state; a longer event goes on in another segment (RFC 4733 2.5.1.3). */
export const MAX_EVENT_DURATION = 0xffff;

const END_BIT = 0x80;
const VOLUME_MASK = 0x3f;

/** By event code (RFC 4733 3.2, table 3). `F` is the hook flash. */
const NAMES = '0123456789*#ABCDF';

/** The name of an event code; empty for codes that are no key of a telephone. */
export function telephoneEventName(event: number): string {
  return NAMES.charAt(event);
}

/** The code of `0`-`9`, `*`, `#`, `A`-`D` (or `a`-`d`), `F` (flash); -1 for anything else. */
export function telephoneEventCode(name: string): number {
  return name.length === 1 ? NAMES.indexOf(name.toUpperCase()) : -1;
}

/** A parsed payload, filled again for every packet. */
export class TelephoneEvent {
  event = 0;
  end = false;
  /** dBm0 without the sign: 0 to 63. */
  volume = 0;
  /** Of this segment, in clock units, so far. */
  duration = 0;
}

export function parseTelephoneEvent(view: DataView, offset: number, length: number, into: TelephoneEvent): ParseError {
  // RFC 4733 2.3
  //  0                   1                   2                   3
  //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  // |     event     |E|R| volume    |          duration             |
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  if (length < TELEPHONE_EVENT_BYTES) return ParseError.truncated;
  const flags = view.getUint8(offset + 1);
  into.event = view.getUint8(offset);
  into.end = (flags & END_BIT) !== 0;
  into.volume = flags & VOLUME_MASK;
  into.duration = view.getUint16(offset + 2);
  return ParseError.none;
}

/** Returns the payload's length. */
export function writeTelephoneEvent(
  view: DataView,
  offset: number,
  event: number,
  end: boolean,
  volume: number,
  duration: number,
): number {
  view.setUint8(offset, event);
  view.setUint8(offset + 1, (end ? END_BIT : 0) | volume);
  view.setUint16(offset + 2, duration);
  return TELEPHONE_EVENT_BYTES;
}
