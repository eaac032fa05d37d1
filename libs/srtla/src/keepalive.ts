import { SrtlaType } from './srtla-packet.ts';

const TIME_OFFSET = 2;
/** With the sender's time, so that the echo measures the round trip. */
export const TIMED_KEEPALIVE_BYTES = 10;
const MAGIC_OFFSET = 10;
const MAGIC = 0xc01f;
const VERSION = 1;
/** With what the sender knows of the link. */
export const EXTENDED_KEEPALIVE_BYTES = 38;
const TWO_POW_32 = 0x1_0000_0000;

/** What a sender tells of a link; filled again for every keepalive. */
export class LinkTelemetry {
  connectionId = 0;
  /** Thousandths of a packet, as SRTLA windows are counted. */
  window = 0;
  inFlightPackets = 0;
  smoothedRttMs = 0;
  /** Since the link came up. */
  naks = 0;
  bytesPerSecond = 0;
}

/** The time that a keepalive carries, in ms of the clock of whoever began it; 0 when it has none, as one that the other side began. */
export function keepaliveTimeMs(view: DataView, offset: number, length: number): number {
  if (length < TIMED_KEEPALIVE_BYTES) return 0;
  return view.getUint32(offset + TIME_OFFSET) * TWO_POW_32 + view.getUint32(offset + TIME_OFFSET + 4);
}

/** Returns whether the keepalive has telemetry that is understood; any other is a plain one. A longer one is of a later version. */
export function readTelemetry(view: DataView, offset: number, length: number, into: LinkTelemetry): boolean {
  //  0       2                10      12        14              18       22          26          30     34              38
  //  | 9000  | sent at, ms    | c01f  | version | connection id | window | in flight | RTT in ms | NAKs | bytes a second |
  if (length < EXTENDED_KEEPALIVE_BYTES) return false;
  if (view.getUint16(offset + MAGIC_OFFSET) !== MAGIC || view.getUint16(offset + 12) !== VERSION) return false;
  into.connectionId = view.getUint32(offset + 14);
  into.window = view.getInt32(offset + 18);
  into.inFlightPackets = view.getInt32(offset + 22);
  into.smoothedRttMs = view.getUint32(offset + 26);
  into.naks = view.getUint32(offset + 30);
  into.bytesPerSecond = view.getUint32(offset + 34);
  return true;
}

/** Writes a keepalive that was sent at `nowMs`, a whole number above 0. Returns its length. */
export function writeTimedKeepalive(view: DataView, offset: number, nowMs: number): number {
  view.setUint16(offset, SrtlaType.keepalive);
  view.setUint32(offset + TIME_OFFSET, Math.floor(nowMs / TWO_POW_32));
  view.setUint32(offset + TIME_OFFSET + 4, nowMs % TWO_POW_32);
  return TIMED_KEEPALIVE_BYTES;
}

/** As `writeTimedKeepalive`, with telemetry. Every receiver echoes it, also one that reads only its type. */
export function writeExtendedKeepalive(
  view: DataView,
  offset: number,
  nowMs: number,
  telemetry: LinkTelemetry,
): number {
  writeTimedKeepalive(view, offset, nowMs);
  view.setUint16(offset + MAGIC_OFFSET, MAGIC);
  view.setUint16(offset + 12, VERSION);
  view.setUint32(offset + 14, telemetry.connectionId);
  view.setInt32(offset + 18, telemetry.window);
  view.setInt32(offset + 22, telemetry.inFlightPackets);
  view.setUint32(offset + 26, telemetry.smoothedRttMs);
  view.setUint32(offset + 30, telemetry.naks);
  view.setUint32(offset + 34, telemetry.bytesPerSecond);
  return EXTENDED_KEEPALIVE_BYTES;
}
