import {
  HandshakeType,
  SRT_HEADER_BYTES,
  SRT_LIVE_PAYLOAD_BYTES,
  SRT_MAGIC,
  writeConclusion as writeConclusionWith,
  writeDataHeader,
  writeFullAck as writeFullAckOf,
  writeHandshakeFields,
} from '@mediaplane/srtla';

/**
 * The SRT packets of a load test: handshakes that open a session, data that carries what a measurement needs, and acknowledgements.
 * As much of SRT as a relay sees; nothing is sent again and nothing encrypted.
 *
 *     SRT header (16) | sent at, us (float64) | group (uint32) | magic (uint32) | 0x47 ...
 */
export const DATA_BYTES = SRT_HEADER_BYTES + SRT_LIVE_PAYLOAD_BYTES;
/** Room for any of them. */
export const PROBE_BYTES = 1536;

const SENT_AT_OFFSET = SRT_HEADER_BYTES;
const GROUP_OFFSET = 24;
const MAGIC_OFFSET = 28;
const MAGIC = 0x6d707372;
/** First byte of every packet of an MPEG transport stream. */
const FILL = 0x47;
const FLOW_WINDOW_PACKETS = 8192;
const MTU_BYTES = 1500;
const LATENCY_MS = 500;
/** SRT 1.5.1: TSBPD both ways, too-late drop, periodic NAK, REXMITFLG. */
const SRT_VERSION = 0x0001_0501;
const SRT_FLAGS = 0x3f;

const COMMON_FIELDS = {
  timestampUs: 0,
  mtuBytes: MTU_BYTES,
  flowWindowPackets: FLOW_WINDOW_PACKETS,
  peerAddress: new Uint8Array(16),
};

export interface HandshakeWords {
  readonly destinationSocketId: number;
  readonly socketId: number;
  readonly cookie: number;
  readonly initialSequence: number;
}

/** An induction, asked for or answered. Returns its length. */
export function writeInduction(out: Uint8Array, words: HandshakeWords, isAnswer: boolean): number {
  return writeHandshakeFields(out, {
    ...COMMON_FIELDS,
    ...words,
    version: isAnswer ? 5 : 4,
    encryption: 0,
    extensionField: isAnswer ? SRT_MAGIC : 2,
    type: HandshakeType.induction,
  });
}

/** A conclusion with latencies, asked for or answered. Returns its length. */
export function writeConclusion(out: Uint8Array, words: HandshakeWords, isAnswer: boolean): number {
  const latencies = { receiverDelayMs: LATENCY_MS, senderDelayMs: LATENCY_MS };
  const options = { isResponse: isAnswer, srtVersion: SRT_VERSION, flags: SRT_FLAGS, ...latencies };
  return writeConclusionWith(out, { ...COMMON_FIELDS, ...words }, options, null);
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
  writeDataHeader(view, at, sequence, sequence, sentUs, destination);
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
  const ack = { number, sequence, rttUs: 1000, rttVarianceUs: 500, freePackets: FLOW_WINDOW_PACKETS };
  return writeFullAckOf(view, at, { ...ack, packetsPerSecond: 0, bytesPerSecond: 0 }, 0, destination);
}
