import type { G711Codec } from '@mediaplane/audio';
import type { AudioFormat, MediaFormats } from './contract.ts';

/** What a payload type means to a channel. */
export const PayloadKind = { unknown: 0, pcmu: 1, pcma: 2, digit: 3 } as const;
export type PayloadKind = (typeof PayloadKind)[keyof typeof PayloadKind];
export type AudioKind = typeof PayloadKind.pcmu | typeof PayloadKind.pcma;

const PAYLOAD_TYPES = 128;

/** Payload types on the private leg between instances: the static ones of RFC 3551, and 101 by custom. */
export const LEG_PAYLOAD_TYPE = { [PayloadKind.pcmu]: 0, [PayloadKind.pcma]: 8, [PayloadKind.digit]: 101 } as const;

export function codecOf(kind: AudioKind): G711Codec {
  return kind === PayloadKind.pcmu ? 'PCMU' : 'PCMA';
}

export function kindOf(format: AudioFormat): AudioKind {
  return format.codec === 'PCMU' ? PayloadKind.pcmu : PayloadKind.pcma;
}

/** The kind of every payload type, by number. */
export function payloadKinds(formats: Pick<MediaFormats, 'receive' | 'receiveDtmfPayloadTypes'>): Uint8Array {
  const table = new Uint8Array(PAYLOAD_TYPES);
  for (const format of formats.receive) table[format.payloadType] = kindOf(format);
  for (const payloadType of formats.receiveDtmfPayloadTypes) table[payloadType] = PayloadKind.digit;
  return table;
}

export const LEG_KINDS = payloadKinds({
  receive: [
    { payloadType: LEG_PAYLOAD_TYPE[PayloadKind.pcmu], codec: 'PCMU', ptimeMs: 20 },
    { payloadType: LEG_PAYLOAD_TYPE[PayloadKind.pcma], codec: 'PCMA', ptimeMs: 20 },
  ],
  receiveDtmfPayloadTypes: [LEG_PAYLOAD_TYPE[PayloadKind.digit]],
});
