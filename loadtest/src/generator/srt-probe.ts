import {
  FULL_ACK_BYTES,
  HandshakeType,
  SRT_HEADER_BYTES,
  SRT_MAGIC,
  SrtControlType,
  writeControlHeader,
  writeHandshakeFields,
} from '@mediaplane/srtla';

/**
 * The SRT packets of a load test: handshakes that open a session, data that carries what a measurement needs, and acknowledgements.
 * As much of SRT as a relay sees; nothing is sent again and nothing encrypted.
 *
 *     SRT header (16) | sent at, us (float64) | group (uint32) | magic (uint32) | 0x47 ...
 */
export const DATA_BYTES = SRT_HEADER_BYTES + 1316;
/** Room for any of them. */
export const PROBE_BYTES = 1536;

const SENT_AT_OFFSET = SRT_HEADER_BYTES;
const GROUP_OFFSET = 24;
const MAGIC_OFFSET = 28;
const MAGIC = 0x6d707372;
/** First byte of every packet of an MPEG transport stream. */
const FILL = 0x47;
/** A message of its own in order, not encrypted (draft-sharabayko-srt-01, section 3.1). */
const SOLO_IN_ORDER = 0xe000_0000;

const FLOW_WINDOW_PACKETS = 8192;
const MTU_BYTES = 1500;
const LATENCY_MS = 500;
/** SRT 1.5.1: TSBPD both ways, too-late drop, periodic NAK, REXMITFLG. */
const SRT_VERSION = 0x0001_0501;
const SRT_FLAGS = 0x3f;
const HS_REQUEST = 1;
const HS_RESPONSE = 2;
const OPTIONS_WORDS = 3;
const HAS_OPTIONS = 1;
const HANDSHAKE_BYTES = 64;
const WITH_OPTIONS_BYTES = HANDSHAKE_BYTES + 4 + OPTIONS_WORDS * 4;

export interface HandshakeWords {
  readonly destinationSocketId: number;
  readonly socketId: number;
  readonly cookie: number;
  readonly initialSequence: number;
}

/** An induction, asked for or answered. Returns its length. */
export function writeInduction(out: Uint8Array, words: HandshakeWords, isAnswer: boolean): number {
  return writeHandshakeFields(out, {
    ...fields(words),
    version: isAnswer ? 5 : 4,
    extensionField: isAnswer ? SRT_MAGIC : 2,
    type: HandshakeType.induction,
  });
}

/** A conclusion with latencies, asked for or answered. Returns its length. */
export function writeConclusion(out: Uint8Array, words: HandshakeWords, isAnswer: boolean): number {
  writeHandshakeFields(out, {
    ...fields(words),
    version: 5,
    extensionField: HAS_OPTIONS,
    type: HandshakeType.conclusion,
  });
  const view = new DataView(out.buffer, out.byteOffset + HANDSHAKE_BYTES);
  view.setUint16(0, isAnswer ? HS_RESPONSE : HS_REQUEST);
  view.setUint16(2, OPTIONS_WORDS);
  view.setUint32(4, SRT_VERSION);
  view.setUint32(8, SRT_FLAGS);
  view.setUint16(12, LATENCY_MS);
  view.setUint16(14, LATENCY_MS);
  return WITH_OPTIONS_BYTES;
}

function fields({ destinationSocketId, socketId, cookie, initialSequence }: HandshakeWords) {
  const peerAddress = new Uint8Array(16);
  const sizes = { mtuBytes: MTU_BYTES, flowWindowPackets: FLOW_WINDOW_PACKETS };
  return {
    timestampUs: 0,
    destinationSocketId,
    socketId,
    cookie,
    initialSequence,
    encryption: 0,
    peerAddress,
    ...sizes,
  };
}

/** Writes what all data packets have in common. */
export function initialiseData(view: DataView, at: number): void {
  for (let i = 0; i < DATA_BYTES; i += 1) view.setUint8(at + i, FILL);
  view.setUint32(at + MAGIC_OFFSET, MAGIC);
}

/** `destination`: the server's socket id. */
export function writeData(
  view: DataView,
  at: number,
  group: number,
  sequence: number,
  destination: number,
  sentUs: number,
): void {
  view.setUint32(at, sequence);
  view.setUint32(at + 4, (SOLO_IN_ORDER | (sequence & 0x3ff_ffff)) >>> 0);
  view.setUint32(at + 8, sentUs >>> 0);
  view.setUint32(at + 12, destination);
  view.setFloat64(at + SENT_AT_OFFSET, sentUs);
  view.setUint32(at + GROUP_OFFSET, group);
}

export function isProbeData(view: DataView, at: number, length: number): boolean {
  return length === DATA_BYTES && view.getUint32(at + MAGIC_OFFSET) === MAGIC;
}

export function probeSentUs(view: DataView, at: number): number {
  return view.getFloat64(at + SENT_AT_OFFSET);
}

export function probeGroup(view: DataView, at: number): number {
  return view.getUint32(at + GROUP_OFFSET);
}

/** A full acknowledgement: everything below `sequence` has arrived. Returns its length. */
export function writeFullAck(
  view: DataView,
  at: number,
  number: number,
  sequence: number,
  destination: number,
): number {
  for (let i = SRT_HEADER_BYTES; i < FULL_ACK_BYTES; i += 4) view.setUint32(at + i, 0);
  writeControlHeader(view, at, SrtControlType.ack, number, 0, destination);
  view.setUint32(at + SRT_HEADER_BYTES, sequence);
  view.setUint32(at + 20, 1000);
  view.setUint32(at + 24, 500);
  view.setUint32(at + 28, FLOW_WINDOW_PACKETS);
  return FULL_ACK_BYTES;
}
