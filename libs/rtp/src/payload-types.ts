/** A payload format as signalling describes it (RFC 8866 6.6: `a=rtpmap`, `a=fmtp`, `a=ptime`), in normal form. */
export interface Codec {
  /** 0 to 127. */
  readonly payloadType: number;
  /** As IANA spells it where we know it, else in upper case. Compared without regard to case (RFC 4855 3). */
  readonly encodingName: string;
  /** Of the RTP timestamp, which is not always that of the audio: G722 has 8000 (RFC 3551 4.5.2). */
  readonly clockRateHz: number;
  readonly channels: number;
  /** Parameters as in `a=fmtp`, without the payload type; may be empty. */
  readonly fmtp: string;
  readonly ptimeMs: number;
}

/** What a caller may leave out: for a static payload type all but the type. */
export type CodecDescription = Pick<Codec, 'payloadType'> & Partial<Codec>;

export const TELEPHONE_EVENT = 'telephone-event';
export const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;
export const DEFAULT_PTIME_MS = 20;
const DEFAULT_CLOCK_RATE_HZ = 8000;

/** The static payload types (RFC 3551 6, table 4) that telephony still meets. */
const STATIC_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU'],
  [3, 'GSM'],
  [8, 'PCMA'],
  [9, 'G722'],
  [13, 'CN'],
  [18, 'G729'],
]);

const SPELLINGS: ReadonlyMap<string, string> = new Map(
  [...STATIC_NAMES.values(), TELEPHONE_EVENT, 'opus', 'iLBC', 'L16'].map((name) => [name.toLowerCase(), name]),
);

/**
 * Brings a description to normal form: fills in what a static payload type implies and 8000 Hz, one channel, 20 ms elsewhere
 * (0 and an empty name count as left out). Null if it cannot be: a payload type that is dynamic or unknown without a name,
 * a static one with a name or clock rate of another, or one out of range.
 */
export function normalizeCodec(description: CodecDescription): Codec | null {
  const { payloadType } = description;
  if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) return null;
  const staticName = STATIC_NAMES.get(payloadType);
  const given = description.encodingName || staticName;
  if (given === undefined) return null;
  const codec: Codec = {
    payloadType,
    encodingName: SPELLINGS.get(given.toLowerCase()) ?? given.toUpperCase(),
    clockRateHz: description.clockRateHz || DEFAULT_CLOCK_RATE_HZ,
    channels: description.channels || 1,
    fmtp: (description.fmtp ?? '').trim(),
    ptimeMs: description.ptimeMs || DEFAULT_PTIME_MS,
  };
  const contradicts =
    staticName !== undefined && (codec.encodingName !== staticName || codec.clockRateHz !== DEFAULT_CLOCK_RATE_HZ);
  return contradicts ? null : codec;
}

/**
 * Whether what one describes can be sent as the other: same encoding, clock rate and channels. Payload types differ freely
 * between parties (RFC 3264 5.1), and none of the formats above changes its bits with `fmtp` or packet time but iLBC, whose
 * `mode` must agree.
 */
export function isSameEncoding(a: Codec, b: Codec): boolean {
  return (
    a.encodingName.toLowerCase() === b.encodingName.toLowerCase() &&
    a.clockRateHz === b.clockRateHz &&
    a.channels === b.channels &&
    (a.encodingName !== 'iLBC' || fmtpValue(a.fmtp, 'mode') === fmtpValue(b.fmtp, 'mode'))
  );
}

/** The value of a parameter of `fmtp`, by its name in any case; undefined if it has none. */
export function fmtpValue(fmtp: string, name: string): string | undefined {
  for (const parameter of fmtp.split(';')) {
    const [key, value] = parameter.split('=', 2);
    if (key.trim().toLowerCase() === name.toLowerCase()) return value?.trim();
  }
  return undefined;
}
