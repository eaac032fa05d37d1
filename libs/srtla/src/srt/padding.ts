import { isLightAck, LIGHT_ACK_BYTES } from './srt-ack.ts';
import { nakLengthWithoutPadding } from './srt-nak.ts';
import { srtKind, SrtKind } from './srt-packet.ts';

/**
 * What to forward of a datagram that a relay may have filled with zeros to 32 bytes. Only two kinds change their meaning by it: a NAK
 * (see `nakLengthWithoutPadding`), and a light ACK, which libsrt then takes for a small one: no round trip, and no room in the buffer.
 */
export function srtLengthWithoutPadding(view: DataView, offset: number, length: number): number {
  switch (srtKind(view, offset, length)) {
    case SrtKind.ack:
      return isLightAck(view, offset, length) ? LIGHT_ACK_BYTES : length;
    case SrtKind.nak:
      return nakLengthWithoutPadding(view, offset, length);
    default:
      return length;
  }
}
