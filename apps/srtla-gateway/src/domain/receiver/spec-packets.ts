import {
  GROUP_ID_BYTES,
  HANDSHAKE_BYTES,
  HandshakeType,
  SENDER_HALF_BYTES,
  SRT_MAGIC,
  SrtlaType,
  encodeStreamId,
  writeControlHeader,
  writeHandshakeFields,
  writeInductionRequest,
  writeRegistration,
} from '@mediaplane/srtla';
import type { HandshakeFields } from '@mediaplane/srtla';

/** For the specs beside: what senders, encoders and SRT servers send, in the product's own codec. */

/** The half that a receiver chooses, in these specs always this byte; the real one is a sealed token. */
export const ISSUED = 0x55;
/** ... and that of another instance this. */
export const FOREIGN = 0x77;
export const SERVER_SOCKET = 0x3bd7c2a4;
export const SERVER_COOKIE = 0xc4d17aa7;
export const LATENCY_MS = 200;

const padded = (...start: number[]): number[] => [...start, ...new Array<number>(32 - start.length).fill(0)];
export const REG3 = padded(0x92, 0x02);
export const REG_ERR = padded(0x92, 0x10);
export const NO_GROUP = padded(0x92, 0x11);
export const KEEPALIVE = [0x90, 0x00];
export const PADDED_KEEPALIVE = padded(0x90, 0x00);

export const idOf = (sender: number, half = ISSUED): Uint8Array =>
  new Uint8Array(GROUP_ID_BYTES).fill(sender, 0, SENDER_HALF_BYTES).fill(half, SENDER_HALF_BYTES);

function registration(type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2, id: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(258);
  writeRegistration(datagram, 0, type, id);
  return datagram;
}
export const reg1 = (id: Uint8Array): Uint8Array => registration(SrtlaType.reg1, id);
export const reg2 = (id: Uint8Array): Uint8Array => registration(SrtlaType.reg2, id);

export interface DataFields {
  readonly to?: number;
  readonly timestampUs?: number;
  readonly again?: boolean;
}

export function data(
  sequence: number,
  { to = SERVER_SOCKET, timestampUs = 0, again = false }: DataFields = {},
): Uint8Array {
  const datagram = new Uint8Array(1332).fill(7);
  const view = new DataView(datagram.buffer);
  view.setUint32(0, sequence);
  view.setUint32(4, 0xc0000001 | (again ? 0x04000000 : 0));
  view.setUint32(8, timestampUs);
  view.setUint32(12, to);
  return datagram;
}

/** A control packet to the socket `to`, its contents in words. */
export function control(type: number, to: number, ...words: number[]): Uint8Array {
  const datagram = new Uint8Array(16 + words.length * 4);
  const view = new DataView(datagram.buffer);
  writeControlHeader(view, 0, type, 0, 0, to);
  for (const [i, word] of words.entries()) view.setUint32(16 + i * 4, word);
  return datagram;
}
export const srtAck = (to: number, sequence = 1): Uint8Array => control(2, to, sequence, 100, 50, 8192, 1, 1, 1);
export const srtNak = (to: number, ...words: number[]): Uint8Array => control(3, to, ...words);
export const srtShutdown = (to: number): Uint8Array => control(5, to, 0);

function fields(socketId: number): HandshakeFields {
  return {
    timestampUs: 0,
    destinationSocketId: 0,
    version: 5,
    encryption: 0,
    extensionField: 5,
    initialSequence: 1000,
    mtuBytes: 1500,
    flowWindowPackets: 8192,
    type: HandshakeType.conclusion,
    socketId,
    cookie: SERVER_COOKIE,
    peerAddress: new Uint8Array(16),
  };
}

function handshake(of: HandshakeFields, extensions: readonly [number, Uint8Array][] = []): Uint8Array {
  const datagram = new Uint8Array(HANDSHAKE_BYTES + extensions.reduce((sum, [, bytes]) => sum + 4 + bytes.length, 0));
  const view = new DataView(datagram.buffer);
  let at = writeHandshakeFields(datagram, of);
  for (const [type, bytes] of extensions) {
    view.setUint16(at, type);
    view.setUint16(at + 2, bytes.length / 4);
    datagram.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return datagram;
}

/** SRT version, flags, and the same delay both ways. */
const options = (delayMs: number): Uint8Array =>
  Uint8Array.of(0, 1, 5, 1, 0, 0, 0, 0xbf, delayMs >> 8, delayMs & 0xff, delayMs >> 8, delayMs & 0xff);

export function induction(socketId: number): Uint8Array {
  const datagram = new Uint8Array(HANDSHAKE_BYTES);
  writeInductionRequest(datagram, fields(socketId), 0);
  return datagram;
}

export interface ConclusionFields {
  readonly cookie?: number;
  readonly streamId?: string;
  readonly encrypted?: boolean;
}

export function conclusion(
  socketId: number,
  { cookie = SERVER_COOKIE, streamId, encrypted }: ConclusionFields = {},
): Uint8Array {
  const extensions: [number, Uint8Array][] = [[1, options(LATENCY_MS)]];
  if (streamId !== undefined) extensions.push([5, encodeStreamId(streamId)]);
  if (encrypted === true) extensions.push([3, new Uint8Array(56)]);
  return handshake({ ...fields(socketId), cookie }, extensions);
}

/** What an SRT server answers the encoder with that socket. */
export const cookieAnswer = (to: number, cookie = SERVER_COOKIE): Uint8Array =>
  handshake({
    ...fields(to),
    destinationSocketId: to,
    extensionField: SRT_MAGIC,
    type: HandshakeType.induction,
    cookie,
  });
export const acceptance = (to: number, from = SERVER_SOCKET, delayMs = 300): Uint8Array =>
  handshake({ ...fields(from), destinationSocketId: to }, [[2, options(delayMs)]]);
export const rejection = (to: number, reason: number): Uint8Array =>
  handshake({ ...fields(0), destinationSocketId: to, type: 1000 + reason });
