import {
  SrtKind,
  countLosses,
  dataSequence,
  destinationSocketId,
  isRetransmitted,
  srtKind,
  srtTimestampUs,
} from '@mediaplane/srtla';
import type { Group, Link } from './group.ts';
import type { Ingest } from './ingest.ts';
import type { ReceiverCounters, ReceiverParts } from './receiver-parts.ts';

/** Links that get every acknowledgement of the server, so that one may be lost. */
const ACK_COPIES = 2;

/**
 * Carries SRT between the links of a group and its server, as it is: an SRT datagram is never lengthened. Handshakes are the ingest's
 * affair; of all else only what is addressed to an end of the accepted session passes. That keeps out whoever is not accepted, and
 * keeps what an old session still says from an encoder that has started again.
 */
export class Forwarding {
  readonly #parts: ReceiverParts;
  readonly #ingest: Ingest;
  readonly #counters: ReceiverCounters;

  constructor(parts: ReceiverParts, ingest: Ingest, counters: ReceiverCounters) {
    this.#parts = parts;
    this.#ingest = ingest;
    this.#counters = counters;
  }

  /** A datagram of a link that is not SRTLA's. */
  onLinkSrt(offset: number, length: number, link: Link, nowUs: number): void {
    const { view, output } = this.#parts;
    const { group } = link;
    const { tally, stream } = group;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.#counters.malformed += 1;
      return;
    }
    link.heardUs = nowUs;
    link.deliveredUs = nowUs;
    link.packets += 1;
    link.bytes += length;
    tally.packets += 1;
    tally.bytes += length;
    if (kind === SrtKind.data) this.#onData(offset, link, nowUs);
    else if (kind === SrtKind.handshake) return this.#ingest.onEncoderHandshake(link, offset, length, nowUs);
    if (stream === null || destinationSocketId(view, offset) !== stream.serverSocketId) {
      tally.notAccepted += 1;
      this.#counters.notAccepted += 1;
      return;
    }
    stream.heardUs = nowUs;
    output.toServer(group, offset, length);
    if (kind === SrtKind.shutdown) this.#ingest.end(group, 'encoder', nowUs);
  }

  /** A datagram that came from a group's SRT server. */
  onServerSrt(group: Group, offset: number, length: number, nowUs: number): void {
    const { view, output } = this.#parts;
    const { tally, stream } = group;
    const kind = srtKind(view, offset, length);
    if (kind === SrtKind.unknown) {
      this.#counters.malformed += 1;
      return;
    }
    tally.serverPackets += 1;
    tally.serverBytes += length;
    if (kind === SrtKind.handshake) return this.#ingest.onServerHandshake(group, offset, length, nowUs);
    if (stream === null || destinationSocketId(view, offset) !== stream.callerSocketId) {
      tally.serverNotAccepted += 1;
      this.#counters.notAccepted += 1;
      return;
    }
    if (kind === SrtKind.nak) {
      tally.serverNaks += 1;
      tally.serverNakPackets += countLosses(view, offset, length);
      for (const link of group.links) output.toLink(link, offset, length);
    } else if (kind === SrtKind.shutdown) {
      for (const link of group.links) output.toLink(link, offset, length);
      this.#ingest.end(group, 'server', nowUs);
    } else if (kind === SrtKind.ack) {
      this.#copyAck(group, offset, length, nowUs);
    } else {
      const { freshest } = group;
      if (freshest !== undefined) output.toLink(freshest, offset, length);
    }
  }

  /** It is acknowledged to the link whatever becomes of it: that it has arrived is all that SRTLA says. */
  #onData(offset: number, link: Link, nowUs: number): void {
    const { view, output, memory } = this.#parts;
    if (isRetransmitted(view, offset)) link.group.tally.retransmitted += 1;
    else link.jitter.add(srtTimestampUs(view, offset), nowUs);
    if (!link.acks.add(dataSequence(view, offset))) return;
    const at = memory.nextAck();
    output.toLink(link, at, link.acks.write(view, at));
  }

  /** To the two links that brought SRT last, and now and then to the others, whose senders would else think them dead. */
  #copyAck(group: Group, offset: number, length: number, nowUs: number): void {
    const { output, options } = this.#parts;
    for (const link of group.links) {
      if (nowUs - link.ackCopiedUs < options.ackCopyIntervalUs && this.#fresher(group, link) >= ACK_COPIES) continue;
      link.ackCopiedUs = nowUs;
      output.toLink(link, offset, length);
    }
  }

  /** Links of the group that brought SRT later than this one; of two in the same pass, the one that is listed first. */
  #fresher(group: Group, link: Link): number {
    let count = 0;
    let before = true;
    for (const other of group.links) {
      if (other === link) before = false;
      else if (other.deliveredUs > link.deliveredUs || (before && other.deliveredUs === link.deliveredUs)) count += 1;
    }
    return count;
  }
}
