import { HandshakeType, REJECTION_BASE, SRT_MAGIC, writeHandshakeFields } from './srt-handshake.ts';
import type { Handshake, HandshakeFields } from './srt-handshake.ts';
import { SRT_HEADER_BYTES, SrtControlType, writeControlHeader } from './srt-packet.ts';

/**
 * Why a listener refuses: libsrt's own reasons (its header srt.h; draft-sharabayko-srt-01, table 7), and from 1000 those of services,
 * HTTP's codes plus 1000 (its access_control.h). On the wire stands 1000 more: 1401 goes out as handshake type 2401.
 */
export const RejectionReason = {
  peer: 2,
  resource: 3,
  rogue: 4,
  backlog: 5,
  close: 7,
  version: 8,
  badSecret: 10,
  unsecure: 11,
  timeout: 16,
  badRequest: 1400,
  unauthorized: 1401,
  overload: 1402,
  forbidden: 1403,
  notFound: 1404,
  conflict: 1409,
  internalError: 1500,
  gateway: 1502,
  down: 1503,
} as const;

const INDUCTION_VERSION = 4;
/** UDT_DGRAM, what the extension field says in version 4. */
const DATAGRAM_SOCKET = 2;
const VERSION = 5;

/** libsrt sends a word of zeros behind the header of a control packet without contents; so do we, as every peer has seen it so. */
export const SHUTDOWN_BYTES = SRT_HEADER_BYTES + 4;

/** Of the caller in whose name an induction is sent. */
export type InductionCaller = Pick<
  HandshakeFields,
  'socketId' | 'initialSequence' | 'mtuBytes' | 'flowWindowPackets' | 'peerAddress'
>;

/** Asks a server for a cookie (section 4.3.1.1); a probe, whether a server is there, is the same. Returns its length, 64. */
export function writeInductionRequest(out: Uint8Array, caller: InductionCaller, timestampUs: number): number {
  return writeHandshakeFields(out, {
    timestampUs,
    destinationSocketId: 0,
    version: INDUCTION_VERSION,
    encryption: 0,
    extensionField: DATAGRAM_SOCKET,
    initialSequence: caller.initialSequence,
    mtuBytes: caller.mtuBytes,
    flowWindowPackets: caller.flowWindowPackets,
    type: HandshakeType.induction,
    socketId: caller.socketId,
    cookie: 0,
    peerAddress: caller.peerAddress,
  });
}

/**
 * Answers an induction with a cookie of ours, as libsrt's listener does: it hands the caller its own socket id back, where the draft
 * wants the listener's, and the caller concludes towards socket 0. No key length is advertised, so the caller's own choice stands.
 * Returns its length, 64, no more than what it answers.
 */
export function writeInductionResponse(
  out: Uint8Array,
  request: Handshake,
  cookie: number,
  timestampUs: number,
): number {
  return writeHandshakeFields(out, {
    ...request,
    timestampUs,
    destinationSocketId: request.socketId,
    version: VERSION,
    encryption: 0,
    extensionField: SRT_MAGIC,
    cookie,
  });
}

/** Refuses `request` for a RejectionReason. The caller gives up at once, where silence would have it try for 3 s. Returns 64. */
export function writeRejection(out: Uint8Array, request: Handshake, reason: number, timestampUs: number): number {
  return writeHandshakeFields(out, {
    ...request,
    timestampUs,
    destinationSocketId: request.socketId,
    type: REJECTION_BASE + reason,
  });
}

/** Ends the session of the socket it goes to (section 3.2.7). Returns its length, SHUTDOWN_BYTES. */
export function writeShutdown(out: Uint8Array, destinationSocketId: number, timestampUs: number): number {
  const view = new DataView(out.buffer, out.byteOffset, SHUTDOWN_BYTES);
  writeControlHeader(view, 0, SrtControlType.shutdown, 0, timestampUs, destinationSocketId);
  view.setUint32(SRT_HEADER_BYTES, 0);
  return SHUTDOWN_BYTES;
}
