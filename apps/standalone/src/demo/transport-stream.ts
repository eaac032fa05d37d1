/**
 * Packets of a transport stream (ISO/IEC 13818-1, 2.4.3.2) with the time they were sent in them, and a judge of what arrives. Only what
 * a network can harm is there: sync bytes, one PID, continuity counters, and as payload a stamp and filling.
 */
import { readPayloadStamp, stampPayload } from '@mediaplane/testkit';

const TS_PACKET_BYTES = 188;
const TS_HEADER_BYTES = 4;
const SYNC_BYTE = 0x47;
const PID = 0x100;
/** Payload without adaptation field. */
const PAYLOAD_ONLY = 0x10;
const COUNTER_MASK = 0x0f;
const PACKETS_PER_PAYLOAD = 7;

/** What an encoder sends. */
export class TransportStreamSource {
  private counter = 0;

  /** The next payload of SRT's live mode, seven packets. `nowUs` is in the first of them. */
  next(nowUs: number): Uint8Array {
    const payload = new Uint8Array(PACKETS_PER_PAYLOAD * TS_PACKET_BYTES);
    for (let at = 0; at < payload.length; at += TS_PACKET_BYTES) {
      payload[at] = SYNC_BYTE;
      payload[at + 1] = PID >> 8;
      payload[at + 2] = PID & 0xff;
      payload[at + 3] = PAYLOAD_ONLY | this.counter;
      this.counter = (this.counter + 1) & COUNTER_MASK;
    }
    stampPayload(payload.subarray(TS_HEADER_BYTES), nowUs);
    return payload;
  }
}

/** What a decoder looks at. */
export class TransportStreamJudge {
  errors = 0;
  private counter = 0;

  /** Returns when the payload was sent; undefined when that cannot be read. */
  take(payload: Uint8Array): number | undefined {
    if (payload.length !== PACKETS_PER_PAYLOAD * TS_PACKET_BYTES) this.errors += 1;
    for (let at = 0; at + TS_PACKET_BYTES <= payload.length; at += TS_PACKET_BYTES) {
      const counter = payload[at + 3] & COUNTER_MASK;
      if (payload[at] !== SYNC_BYTE || counter !== this.counter) this.errors += 1;
      this.counter = (counter + 1) & COUNTER_MASK;
    }
    return readPayloadStamp(payload.subarray(TS_HEADER_BYTES)) ?? undefined;
  }
}
