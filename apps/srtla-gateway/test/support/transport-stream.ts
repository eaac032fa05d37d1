/** MPEG transport streams (ISO/IEC 13818-1, section 2.4.3), as far as it takes to tell whether one is whole. */
export const TS_PACKET_BYTES = 188;

const SYNC_BYTE = 0x47;
const PID_MASK = 0x1fff;
/** Stuffing, whose continuity counter is undefined. */
const NULL_PID = 0x1fff;
const HAS_PAYLOAD = 0x10;
const HAS_ADAPTATION = 0x20;
const CONTINUITY_MASK = 0x0f;
const DISCONTINUITY_INDICATOR = 0x80;
const TRANSPORT_ERROR = 0x80;

export interface TransportStreamReport {
  /** By PID. */
  readonly packets: ReadonlyMap<number, number>;
  /** What is wrong with it, in words. */
  readonly errors: readonly string[];
}

/** Looks at the continuity counter of every PID; a packet may be there twice in a row (2.4.3.3). */
export function inspectTransportStream(bytes: Uint8Array): TransportStreamReport {
  const packets = new Map<number, number>();
  const errors: string[] = [];
  const last = new Map<number, { readonly counter: number; readonly at: number; readonly isRepeat: boolean }>();
  if (bytes.length % TS_PACKET_BYTES !== 0) errors.push(`${bytes.length} bytes are no whole packets`);
  for (let at = 0; at + TS_PACKET_BYTES <= bytes.length; at += TS_PACKET_BYTES) {
    // | sync 0x47 | error, start, priority, PID: 1, 1, 1, 13 bits | scrambling, adaptation, payload: 2, 1, 1 bits, counter: 4 bits |
    if (bytes[at] !== SYNC_BYTE) {
      errors.push(`no sync byte at ${at}`);
      break;
    }
    const pid = ((bytes[at + 1] << 8) | bytes[at + 2]) & PID_MASK;
    const control = bytes[at + 3];
    packets.set(pid, (packets.get(pid) ?? 0) + 1);
    if ((bytes[at + 1] & TRANSPORT_ERROR) !== 0) errors.push(`transport error at ${at}`);
    if (pid === NULL_PID) continue;
    const counter = control & CONTINUITY_MASK;
    const before = last.get(pid);
    const isRepeat = before !== undefined && !before.isRepeat && isSame(bytes, before.at, at);
    const step = (control & HAS_PAYLOAD) === 0 ? 0 : 1;
    const expected = before === undefined ? counter : (before.counter + step) & CONTINUITY_MASK;
    if (counter !== expected && !isRepeat && !mayJump(bytes, at, control)) {
      errors.push(`PID ${pid} at ${at}: counter ${counter}, not ${expected}`);
    }
    last.set(pid, { counter, at, isRepeat });
  }
  return { packets, errors };
}

function isSame(bytes: Uint8Array, a: number, b: number): boolean {
  return Buffer.compare(bytes.subarray(a, a + TS_PACKET_BYTES), bytes.subarray(b, b + TS_PACKET_BYTES)) === 0;
}

/** Its adaptation field announces a discontinuity. */
function mayJump(bytes: Uint8Array, at: number, control: number): boolean {
  return (control & HAS_ADAPTATION) !== 0 && bytes[at + 4] > 0 && (bytes[at + 5] & DISCONTINUITY_INDICATOR) !== 0;
}
