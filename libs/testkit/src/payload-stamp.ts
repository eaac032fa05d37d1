/** A send time in the first bytes of an RTP payload, to measure the way of packets that are passed on byte by byte. */
export const STAMP_BYTES = 12;
const MAGIC = 0x4d505453;

/** @throws RangeError when the payload is shorter than `STAMP_BYTES`. */
export function stampPayload(payload: Uint8Array, sentUs: number): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  view.setUint32(0, MAGIC);
  view.setFloat64(4, sentUs);
}

/** The time that `stampPayload` wrote, null if the payload bears no stamp. */
export function readPayloadStamp(payload: Uint8Array): number | null {
  if (payload.length < STAMP_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return view.getUint32(0) === MAGIC ? view.getFloat64(4) : null;
}
