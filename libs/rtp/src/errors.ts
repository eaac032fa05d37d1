/**
 * Why a datagram was refused. Nothing in this library throws on wire input: a parser returns one of these and the caller
 * counts it, `PARSE_ERROR_NAMES[error]` naming the counter.
 */
export const ParseError = {
  none: 0,
  /** Shorter than its fixed part. */
  truncated: 1,
  /** The version field is not 2. */
  version: 2,
  /** The CSRC list runs past the end. */
  csrc: 3,
  /** The header extension runs past the end. */
  extension: 4,
  /** The padding count is 0, past the payload, or stands where no padding may be. */
  padding: 5,
  /** A compound RTCP packet that does not begin with SR or RR, or holds a type that is no RTCP. */
  packetType: 6,
  /** A length field that disagrees with the datagram or with the counts inside it. */
  length: 7,
} as const;
export type ParseError = (typeof ParseError)[keyof typeof ParseError];

export const PARSE_ERROR_NAMES: readonly string[] = Object.keys(ParseError);
