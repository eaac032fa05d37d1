import { SEQUENCE_MASK } from './sequence.ts';
import {
  destinationSocketId,
  SRT_HEADER_BYTES,
  SrtControlType,
  srtKind,
  SrtKind,
  srtTimestampUs,
  writeControlHeader,
} from './srt-packet.ts';
import { decodeStreamId, STREAM_ID_MAX_BYTES } from './stream-id.ts';

/** Stage of a handshake (draft-sharabayko-srt-01, section 3.2.1, table 4); from REJECTION_BASE to 2^31 - 1 it is a refusal. */
export const HandshakeType = {
  waveAHand: 0,
  induction: 1,
  done: 0xfffffffd,
  agreement: 0xfffffffe,
  conclusion: 0xffffffff,
} as const;

/** Extension types of a conclusion (table 5). */
export const ExtensionType = {
  hsRequest: 1,
  hsResponse: 2,
  keyMaterialRequest: 3,
  keyMaterialResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

/** Header and fixed part; what follows are the extensions. */
export const HANDSHAKE_BYTES = 64;
/** `extensionField` of an induction response that speaks version 5. */
export const SRT_MAGIC = 0x4a17;

const VERSION_OFFSET = SRT_HEADER_BYTES;
const TYPE_OFFSET = 36;
const COOKIE_OFFSET = 44;
const ENCRYPTION_OFFSET = 20;
const EXTENSION_FIELD_OFFSET = 22;
const INITIAL_SEQUENCE_OFFSET = 24;
const MTU_OFFSET = 28;
const FLOW_WINDOW_OFFSET = 32;
const SOCKET_ID_OFFSET = 40;
const PEER_ADDRESS_OFFSET = 48;
const PEER_ADDRESS_BYTES = 16;

/** Handshake type of the refusal for reason 0. */
export const REJECTION_BASE = 1000;
const REJECTION_LAST = 0x7fffffff;
const VERSION_WITH_EXTENSIONS = 5;
const EXTENSION_HEADER_BYTES = 4;
const OPTIONS_BYTES = 12;

/** An extension as it came, known or not. */
export interface HandshakeExtension {
  readonly type: number;
  /** A multiple of four bytes, with the padding. */
  readonly contents: Uint8Array;
}

/** What HSREQ and HSRSP tell of one end (section 3.2.1.1). */
export interface HandshakeOptions {
  /** From the listener, HSRSP; else from the caller, HSREQ. */
  readonly isResponse: boolean;
  /** major << 16 | minor << 8 | patch */
  readonly srtVersion: number;
  readonly flags: number;
  /** How long this end holds back what it receives, and how long it asks the other to hold back what it sends; 0 to 65,535 ms. */
  readonly receiverDelayMs: number;
  readonly senderDelayMs: number;
}

export interface Handshake {
  readonly timestampUs: number;
  readonly destinationSocketId: number;
  readonly version: number;
  readonly encryption: number;
  readonly extensionField: number;
  readonly initialSequence: number;
  readonly mtuBytes: number;
  readonly flowWindowPackets: number;
  /** A HandshakeType or, where `rejectionReason` is not null, a refusal. uint32. */
  readonly type: number;
  /** Of the socket that sent it. */
  readonly socketId: number;
  /** uint32 */
  readonly cookie: number;
  /** 16 bytes as they came: libsrt writes an IPv4 address in its host's byte order, against the draft. */
  readonly peerAddress: Uint8Array;
  /** Empty where the stage has none. */
  readonly extensions: readonly HandshakeExtension[];
  readonly options: HandshakeOptions | null;
  /** null without the extension. */
  readonly streamId: string | null;
}

/**
 * Reads a handshake; null when the datagram is none, or when a length in it is wrong: an extension over the end, loose bytes behind the
 * last one, an HSREQ or HSRSP of less than 12 bytes, a stream id of none or more than 512, either of them twice. Extensions unheard of
 * are kept as they came. What follows the fixed part of another stage than conclusion is not looked at.
 */
export function parseHandshake(view: DataView, offset: number, length: number): Handshake | null {
  // draft-sharabayko-srt-01, section 3.2.1
  //  0                   1                   2                   3
  //  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
  // +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ 16
  // |                            Version                            |
  // |        Encryption Field       |        Extension Field        |
  // |0|               Initial Packet Sequence Number                |
  // |                 Maximum Transmission Unit Size                |
  // |                    Maximum Flow Window Size                   |
  // |                         Handshake Type                        | 36
  // |                         SRT Socket ID                         |
  // |                           SYN Cookie                          |
  // |                 Peer IP Address (four words)                  | 48
  // +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+ 64
  // |         Extension Type        |  Extension Length (in words)  | conclusion of version 5,
  // |                       Extension Contents                      | any number of times
  // +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
  if (srtKind(view, offset, length) !== SrtKind.handshake) return null;
  const version = view.getUint32(offset + VERSION_OFFSET);
  const type = view.getUint32(offset + TYPE_OFFSET);
  const hasExtensions = version >= VERSION_WITH_EXTENSIONS && type === HandshakeType.conclusion;
  const extensions = hasExtensions ? parseExtensions(view, offset + HANDSHAKE_BYTES, offset + length) : [];
  if (extensions === null) return null;
  const streamIds = extensions.filter((extension) => extension.type === ExtensionType.streamId);
  const options = extensions.filter((extension) => isOptions(extension.type));
  if (streamIds.length > 1 || options.length > 1) return null;
  const [streamId] = streamIds;
  const [option] = options;
  if (streamId && (streamId.contents.length === 0 || streamId.contents.length > STREAM_ID_MAX_BYTES)) return null;
  if (option && option.contents.length < OPTIONS_BYTES) return null;
  return {
    timestampUs: srtTimestampUs(view, offset),
    destinationSocketId: destinationSocketId(view, offset),
    version,
    encryption: view.getUint16(offset + ENCRYPTION_OFFSET),
    extensionField: view.getUint16(offset + EXTENSION_FIELD_OFFSET),
    initialSequence: view.getUint32(offset + INITIAL_SEQUENCE_OFFSET) & SEQUENCE_MASK,
    mtuBytes: view.getUint32(offset + MTU_OFFSET),
    flowWindowPackets: view.getUint32(offset + FLOW_WINDOW_OFFSET),
    type,
    socketId: view.getUint32(offset + SOCKET_ID_OFFSET),
    cookie: view.getUint32(offset + COOKIE_OFFSET),
    peerAddress: copyOf(view, offset + PEER_ADDRESS_OFFSET, PEER_ADDRESS_BYTES),
    extensions,
    options: option ? parseOptions(option) : null,
    streamId: streamId ? decodeStreamId(streamId.contents) : null,
  };
}

/**
 * Why the other end refused, in the numbers of RejectionReason; null when it did not. On the wire a refusal is the handshake type
 * 1000 + reason (section 4.3, table 7, for libsrt's own reasons).
 */
export function rejectionReason(handshake: Handshake): number | null {
  const { type } = handshake;
  return type >= REJECTION_BASE && type <= REJECTION_LAST ? type - REJECTION_BASE : null;
}

/**
 * How long after it was sent a packet of the caller is played by the listener, "the greater of those reported by each party" (section
 * 4.3.1.2): the caller's wish for what it sends, and the listener's for what it receives. The response alone would do with libsrt,
 * which answers with the greater of both.
 */
export function callerLatencyMs(request: HandshakeOptions, response: HandshakeOptions): number {
  return Math.max(request.senderDelayMs, response.receiverDelayMs);
}

function parseExtensions(view: DataView, start: number, end: number): HandshakeExtension[] | null {
  const extensions: HandshakeExtension[] = [];
  for (let at = start; at < end;) {
    if (at + EXTENSION_HEADER_BYTES > end) return null;
    const contents = at + EXTENSION_HEADER_BYTES;
    const contentsLength = view.getUint16(at + 2) * 4;
    if (contents + contentsLength > end) return null;
    extensions.push({ type: view.getUint16(at), contents: copyOf(view, contents, contentsLength) });
    at = contents + contentsLength;
  }
  return extensions;
}

function isOptions(type: number): boolean {
  return type === ExtensionType.hsRequest || type === ExtensionType.hsResponse;
}

function parseOptions({ type, contents }: HandshakeExtension): HandshakeOptions {
  const view = new DataView(contents.buffer);
  return {
    isResponse: type === ExtensionType.hsResponse,
    srtVersion: view.getUint32(0),
    flags: view.getUint32(4),
    receiverDelayMs: view.getUint16(8),
    senderDelayMs: view.getUint16(10),
  };
}

function copyOf(view: DataView, offset: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(view.buffer, view.byteOffset + offset, length));
}

/** The fixed part, as parsed; what `writeHandshakeFields` writes. */
export type HandshakeFields = Omit<Handshake, 'extensions' | 'options' | 'streamId'>;

/** Writes a handshake without extensions at the start of `out`. Returns its length, HANDSHAKE_BYTES. */
export function writeHandshakeFields(out: Uint8Array, fields: HandshakeFields): number {
  const view = new DataView(out.buffer, out.byteOffset, HANDSHAKE_BYTES);
  writeControlHeader(view, 0, SrtControlType.handshake, 0, fields.timestampUs, fields.destinationSocketId);
  view.setUint32(VERSION_OFFSET, fields.version);
  view.setUint16(ENCRYPTION_OFFSET, fields.encryption);
  view.setUint16(EXTENSION_FIELD_OFFSET, fields.extensionField);
  view.setUint32(INITIAL_SEQUENCE_OFFSET, fields.initialSequence);
  view.setUint32(MTU_OFFSET, fields.mtuBytes);
  view.setUint32(FLOW_WINDOW_OFFSET, fields.flowWindowPackets);
  view.setUint32(TYPE_OFFSET, fields.type);
  view.setUint32(SOCKET_ID_OFFSET, fields.socketId);
  view.setUint32(COOKIE_OFFSET, fields.cookie);
  out.set(fields.peerAddress, PEER_ADDRESS_OFFSET);
  return HANDSHAKE_BYTES;
}

/** Puts another cookie into a handshake, where it stands: a conclusion made for our cookie goes on to a server that wants its own. */
export function setCookie(view: DataView, offset: number, cookie: number): void {
  view.setUint32(offset + COOKIE_OFFSET, cookie);
}
