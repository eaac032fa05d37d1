/**
 * Packets of SRTLA, "srtla2" as BELABOX senders and receivers speak it. There is no written specification; what is here was read from
 * peers and seen on the wire. One packet is one datagram, integers are big-endian, the type is its first two bytes. SRT datagrams
 * travel between them as they are: data has bit 15 of that word clear, SRT's own control types are 0x8000 to 0x8fff.
 */
export const SrtlaType = {
  keepalive: 0x9000,
  /** Receiver to sender: ten sequence numbers of SRT data that came by this link. */
  ack: 0x9100,
  /** Sender to receiver: asks for a group; carries 256 bytes of which the first half is the sender's. */
  reg1: 0x9200,
  /** Either way: the whole id of a group. */
  reg2: 0x9201,
  /** Receiver to sender: the link is registered. */
  reg3: 0x9202,
  /** Receiver to sender: not now; back off. */
  regError: 0x9210,
  /** Receiver to sender, in answer to REG2: no such group, begin with REG1. */
  regNoGroup: 0x9211,
  /** Receiver to sender, in answer to REG1: refused for good; a text for people may follow. */
  regRefused: 0x9212,
} as const;
export type SrtlaType = (typeof SrtlaType)[keyof typeof SrtlaType];

export const SRTLA_TYPE_BYTES = 2;
export const GROUP_ID_BYTES = 256;
/** The first of the id, chosen by the sender; the receiver chooses the rest. */
export const SENDER_HALF_BYTES = 128;
/** REG1 and REG2, exactly: receivers refuse any other length. */
export const REGISTRATION_BYTES = SRTLA_TYPE_BYTES + GROUP_ID_BYTES;
/** What a receiver's own short replies are zero-filled to where carrier NATs drop tiny datagrams. */
export const PADDED_REPLY_BYTES = 32;

const SRTLA_CLASS = 0x9;

/** Whether a datagram is SRTLA's, known type or not: none of these may be taken for SRT. */
export function isSrtla(view: DataView, offset: number, length: number): boolean {
  return length >= SRTLA_TYPE_BYTES && view.getUint8(offset) >> 4 === SRTLA_CLASS;
}

/** The type of a datagram for which `isSrtla` holds; one that is no `SrtlaType` is to be dropped. */
export function srtlaType(view: DataView, offset: number): number {
  return view.getUint16(offset);
}

/** Whether a REG1 or REG2 has its id. */
export function isWholeRegistration(length: number): boolean {
  return length === REGISTRATION_BYTES;
}

/** Writes REG1 or REG2. `id`: GROUP_ID_BYTES. Returns the datagram's length. @throws RangeError for an id of another length */
export function writeRegistration(
  bytes: Uint8Array,
  offset: number,
  type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2,
  id: Uint8Array,
): number {
  if (id.length !== GROUP_ID_BYTES) throw new RangeError(`a group id has ${GROUP_ID_BYTES} bytes, not ${id.length}`);
  writeType(bytes, offset, type);
  bytes.set(id, offset + SRTLA_TYPE_BYTES);
  return REGISTRATION_BYTES;
}

/** Writes a reply that is only its type, `padded` to PADDED_REPLY_BYTES. Returns its length. */
export function writeReply(bytes: Uint8Array, offset: number, type: SrtlaType, padded: boolean): number {
  writeType(bytes, offset, type);
  return padded ? padReply(bytes, offset, SRTLA_TYPE_BYTES) : SRTLA_TYPE_BYTES;
}

/**
 * Zero-fills one of SRTLA's own replies to PADDED_REPLY_BYTES. Returns its length. Never for an SRT datagram: a zero word at the end
 * of a NAK reports packet 0 as lost, and libsrt drops the session (seen where the initial sequence number was above 2^30).
 */
export function padReply(bytes: Uint8Array, offset: number, length: number): number {
  if (length >= PADDED_REPLY_BYTES) return length;
  bytes.fill(0, offset + length, offset + PADDED_REPLY_BYTES);
  return PADDED_REPLY_BYTES;
}

function writeType(bytes: Uint8Array, offset: number, type: SrtlaType): void {
  bytes[offset] = type >> 8;
  bytes[offset + 1] = type & 0xff;
}
