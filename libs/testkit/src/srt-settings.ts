/** What both ends of our SRT sessions have in common: live mode, as libsrt 1.5.1 announces it. */
export const SRT_VERSION = 0x0001_0501;
/** TSBPDSND, TSBPDRCV, TLPKTDROP, PERIODICNAK, REXMITFLG (draft-sharabayko-srt-01, section 3.2.1.1.1): without CRYPT. */
export const SRT_FLAGS = 0x3b;
/** libsrt's socket ids have 30 bits. */
export const MAX_SOCKET_ID = 0x3fff_ffff;
export const MTU_BYTES = 1500;
export const FLOW_WINDOW_PACKETS = 8192;
/** Where nobody asks for another. */
export const DEFAULT_LATENCY_MS = 120;
/** An end from which nothing came for so long is gone (SRTO_PEERIDLETIMEO). */
export const PEER_IDLE_US = 5e6;
/** An end that has nothing to say says so (section 3.2.3). */
export const KEEPALIVE_US = 1e6;
/** Sockets ask for room for the moments when nobody reads. */
export const SOCKET_BUFFER_BYTES = 4 << 20;

export const NO_ADDRESS: Uint8Array = new Uint8Array(16);

/** Monotonic, in microseconds: the clock of all SRT peers of this process. */
export function srtNowUs(): number {
  return performance.now() * 1000;
}

/** Why a session is over: which end closed it, or that the other one fell silent. */
export type SrtEnd = 'closed' | 'closed-by-peer' | 'peer-silent';

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
