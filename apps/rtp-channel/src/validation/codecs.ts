import type { Codec, Codecs } from '@mediaplane/proto';
import { quoted } from '@mediaplane/service';
import type { Violations } from '@mediaplane/service';
import type { AudioFormat, MediaFormats } from '../media/contract.ts';

const CLOCK_RATE_HZ = 8000;
const DEFAULT_PTIME_MS = 20;
const PTIMES_MS: readonly number[] = [10, 20, 30, 40];
const MAX_FORMATS = 16;
const MAX_FMTP_CHARACTERS = 255;
/** RFC 5761 4: with the marker bit these read as RTCP packet types 200 to 204. */
const RTCP_LIKE_PAYLOAD_TYPES = { first: 72, last: 76 };

const DTMF = 'telephone-event';
/** By their name in lower case. */
const ENCODINGS = new Map([
  ['pcmu', 'PCMU'],
  ['pcma', 'PCMA'],
  [DTMF, DTMF],
]);

function format(payloadType: number, encodingName: string, fmtp = ''): Codec {
  return { payloadType, encodingName, clockRateHz: CLOCK_RATE_HZ, channels: 1, fmtp, ptimeMs: DEFAULT_PTIME_MS };
}

const PCMU = format(0, 'PCMU');
const EVENTS = format(101, DTMF, '0-15');

/** What a channel has whose controller names no codecs; one object for all of them. */
export const DEFAULT_CODECS: Codecs = { send: PCMU, sendDtmf: EVENTS, receive: [PCMU, format(8, 'PCMA'), EVENTS] };
const DEFAULT_FORMATS = deriveFormats(DEFAULT_CODECS);

/** The codecs with their defaults filled in and their names as IANA writes them. */
export function normaliseCodecs(input: Codecs | undefined, field: string, violations: Violations): Codecs {
  if (input === undefined) return DEFAULT_CODECS;
  if (input.receive.length < 1 || input.receive.length > MAX_FORMATS) {
    violations.add(`${field}.receive`, `must have 1 to ${MAX_FORMATS} formats, has ${input.receive.length}`);
    return DEFAULT_CODECS;
  }
  const receive = input.receive.map((codec, i) => normaliseCodec(codec, `${field}.receive[${i}]`, violations));
  const used = new Set<number>();
  receive.forEach(({ payloadType }, i) => {
    if (used.has(payloadType)) {
      violations.add(`${field}.receive[${i}].payload_type`, `must be used once, ${payloadType} is used twice`);
    }
    used.add(payloadType);
  });

  const firstAudio = receive.find((codec) => codec.encodingName !== DTMF);
  if (firstAudio === undefined) violations.add(`${field}.receive`, 'must have an audio format: PCMU or PCMA');
  const send =
    input.send === undefined ? (firstAudio ?? PCMU) : normaliseCodec(input.send, `${field}.send`, violations);
  if (send.encodingName === DTMF)
    violations.add(`${field}.send.encoding_name`, 'must be an audio format: PCMU or PCMA');
  const sendDtmf =
    input.sendDtmf === undefined
      ? receive.find((codec) => codec.encodingName === DTMF)
      : normaliseCodec(input.sendDtmf, `${field}.send_dtmf`, violations);
  if (sendDtmf !== undefined && sendDtmf.encodingName !== DTMF) {
    violations.add(`${field}.send_dtmf.encoding_name`, `must be ${DTMF}`);
  }
  if (sendDtmf?.payloadType === send.payloadType) {
    violations.add(`${field}.send_dtmf.payload_type`, `must differ from that of send, ${send.payloadType}`);
  }
  return { send, sendDtmf, receive };
}

function normaliseCodec(input: Codec, field: string, violations: Violations): Codec {
  const { payloadType } = input;
  const isRtcpLike = payloadType >= RTCP_LIKE_PAYLOAD_TYPES.first && payloadType <= RTCP_LIKE_PAYLOAD_TYPES.last;
  if (payloadType < 0 || payloadType > 127 || isRtcpLike) {
    violations.add(`${field}.payload_type`, `must be 0 to 71 or 77 to 127, is ${payloadType}`);
  }
  const encodingName = ENCODINGS.get(input.encodingName.toLowerCase());
  if (encodingName === undefined) {
    const known = [...ENCODINGS.values()].join(', ');
    violations.add(`${field}.encoding_name`, `must be one of ${known}, is ${quoted(input.encodingName)}`);
  }
  const clockRateHz = input.clockRateHz || CLOCK_RATE_HZ;
  if (clockRateHz !== CLOCK_RATE_HZ) violations.add(`${field}.clock_rate_hz`, `must be 8000, is ${clockRateHz}`);
  const channels = input.channels || 1;
  if (channels !== 1) violations.add(`${field}.channels`, `must be 1, is ${channels}`);
  if (input.fmtp.length > MAX_FMTP_CHARACTERS) {
    violations.add(`${field}.fmtp`, `must have at most ${MAX_FMTP_CHARACTERS} characters, has ${input.fmtp.length}`);
  }
  const ptimeMs = input.ptimeMs || DEFAULT_PTIME_MS;
  if (!PTIMES_MS.includes(ptimeMs)) {
    violations.add(`${field}.ptime_ms`, `must be one of ${PTIMES_MS.join(', ')}, is ${ptimeMs}`);
  }
  return { payloadType, encodingName: encodingName ?? '', clockRateHz, channels, fmtp: input.fmtp, ptimeMs };
}

/** What the media threads need of codecs that `normaliseCodecs` has made. */
export function mediaFormats(codecs: Codecs): MediaFormats {
  return codecs === DEFAULT_CODECS ? DEFAULT_FORMATS : deriveFormats(codecs);
}

function deriveFormats(codecs: Codecs): MediaFormats {
  return {
    send: audioFormat(codecs.send ?? PCMU),
    sendDtmfPayloadType: codecs.sendDtmf?.payloadType ?? -1,
    receive: codecs.receive.filter(({ encodingName }) => encodingName !== DTMF).map(audioFormat),
    receiveDtmfPayloadTypes: codecs.receive
      .filter(({ encodingName }) => encodingName === DTMF)
      .map(({ payloadType }) => payloadType),
  };
}

function audioFormat({ payloadType, encodingName, ptimeMs }: Codec): AudioFormat {
  return { payloadType, codec: encodingName === 'PCMA' ? 'PCMA' : 'PCMU', ptimeMs };
}
