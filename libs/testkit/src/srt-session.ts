import {
  SHUTDOWN_BYTES,
  SRT_HEADER_BYTES,
  SRT_PACKET_MAX_BYTES,
  SrtControlType,
  SrtKind,
  ackackNumber,
  dataSequence,
  isRetransmitted,
  srtKind,
  srtTimestampUs,
  writeControlHeader,
  writeFullAck,
  writeNak,
  writeShutdown,
} from '@mediaplane/srtla';
import type { LossRange } from '@mediaplane/srtla';
import { SrtArrivals } from './srt-arrivals.ts';
import type { SrtArrivalCounts, SrtArrivalOptions, SrtDelivery } from './srt-arrivals.ts';
import { FLOW_WINDOW_PACKETS, KEEPALIVE_US, PEER_IDLE_US, viewOf } from './srt-settings.ts';
import type { SrtEnd } from './srt-settings.ts';

const ACK_US = 10_000;
/** Before anything is measured (draft-sharabayko-srt-01, section 4.10). */
const FIRST_RTT_US = 100_000;
const FIRST_RTT_VARIANCE_US = 50_000;
/** Losses are reported again after (RTT + 4 * variance) / 2, but no sooner (section 4.8.2). */
const LEAST_NAK_US = 20_000;
/** ACKs whose ACKACK is waited for. */
const OPEN_ACKS = 128;

export interface SrtSessionStatistics extends Readonly<SrtArrivalCounts> {
  /** Given up: never played. */
  readonly missed: number;
  /** Of what was received, the part that had to be sent again, 0 to 1. */
  readonly retransmittedShare: number;
  /** NAK packets sent. */
  readonly lossReports: number;
  readonly rttMs: number;
}

export interface SrtSessionOptions extends Omit<SrtArrivalOptions, 'latencyUs'> {
  readonly callerAddress: string;
  readonly callerPort: number;
  readonly callerSocketId: number;
  readonly socketId: number;
  readonly streamId: string | null;
  readonly latencyMs: number;
  readonly onPacket: (packet: SrtDelivery) => void;
  readonly send: (datagram: Uint8Array) => void;
}

/** A caller at a listener: receives its stream. The listener feeds it with datagrams and time. */
export class SrtSession {
  readonly streamId: string | null;
  /** Agreed by both ends. */
  readonly latencyMs: number;
  readonly callerAddress: string;
  readonly callerPort: number;
  /** Why it is over; undefined while it lives. */
  end: SrtEnd | undefined;
  readonly #options: SrtSessionOptions;
  readonly #arrivals: SrtArrivals;
  readonly #out = new Uint8Array(SRT_PACKET_MAX_BYTES);
  readonly #view = viewOf(this.#out);
  /** By number of an ACK: when it went out. */
  readonly #ackedUs = new Map<number, number>();
  #acks = 0;
  #ackUs = -Infinity;
  #acknowledged: number;
  #isConfirmed = true;
  #rttUs = FIRST_RTT_US;
  #rttVarianceUs = FIRST_RTT_VARIANCE_US;
  #isMeasured = false;
  #lossReports = 0;
  #heardUs: number;
  #spokeUs: number;

  constructor(options: SrtSessionOptions) {
    this.#options = options;
    this.streamId = options.streamId;
    this.latencyMs = options.latencyMs;
    this.callerAddress = options.callerAddress;
    this.callerPort = options.callerPort;
    this.#arrivals = new SrtArrivals({ ...options, latencyUs: options.latencyMs * 1000 });
    this.#acknowledged = options.initialSequence;
    this.#heardUs = this.#spokeUs = options.startUs;
  }

  get statistics(): SrtSessionStatistics {
    const { counts, missed } = this.#arrivals;
    return {
      ...counts,
      missed: missed.length,
      retransmittedShare: counts.retransmitted / Math.max(counts.received, 1),
      lossReports: this.#lossReports,
      rttMs: this.#rttUs / 1000,
    };
  }

  /** Sequence numbers that were given up, in order. */
  get missed(): readonly number[] {
    return this.#arrivals.missed;
  }

  /** Packets that are there or missing, and not played yet. */
  get waiting(): number {
    return this.#arrivals.waiting;
  }

  onDatagram(datagram: Uint8Array, nowUs: number): void {
    if (this.end !== undefined) return;
    const view = viewOf(datagram);
    this.#heardUs = nowUs;
    switch (srtKind(view, 0, datagram.length)) {
      case SrtKind.data: {
        const payload = datagram.subarray(SRT_HEADER_BYTES);
        this.#arrivals.add(dataSequence(view, 0), srtTimestampUs(view, 0), isRetransmitted(view, 0), payload, nowUs);
        this.#reportLosses(this.#arrivals.freshLosses(nowUs), nowUs);
        break;
      }
      case SrtKind.ackack:
        this.#onAckack(ackackNumber(view, 0), nowUs);
        break;
      case SrtKind.shutdown:
        this.end = 'closed-by-peer';
    }
  }

  onTick(nowUs: number): void {
    if (this.end !== undefined) return;
    this.#arrivals.play(nowUs, this.#options.onPacket);
    const nakUs = Math.max((this.#rttUs + 4 * this.#rttVarianceUs) / 2, LEAST_NAK_US);
    this.#reportLosses(this.#arrivals.periodicLosses(nakUs, nowUs), nowUs);
    this.#acknowledge(nowUs);
    if (nowUs - this.#spokeUs >= KEEPALIVE_US) {
      writeControlHeader(this.#view, 0, SrtControlType.keepalive, 0, this.#timestampUs(nowUs), this.#callerSocketId);
      this.#send(SHUTDOWN_BYTES, nowUs);
    }
    if (nowUs - this.#heardUs >= PEER_IDLE_US) this.end = 'peer-silent';
  }

  /** Tells the caller that it is over. Idempotent. */
  close(nowUs: number): void {
    if (this.end !== undefined) return;
    this.end = 'closed';
    this.#send(writeShutdown(this.#out, this.#callerSocketId, this.#timestampUs(nowUs)), nowUs);
  }

  get #callerSocketId(): number {
    return this.#options.callerSocketId;
  }

  /** What there is to acknowledge; what was, once more while the caller does not confirm it. */
  #acknowledge(nowUs: number): void {
    const { acknowledged, waiting, counts } = this.#arrivals;
    const isNews = acknowledged !== this.#acknowledged;
    const intervalUs = isNews ? ACK_US : Math.max(this.#rttUs + 4 * this.#rttVarianceUs, ACK_US);
    if ((!isNews && this.#isConfirmed) || nowUs - this.#ackUs < intervalUs) return;
    this.#acknowledged = acknowledged;
    this.#isConfirmed = false;
    this.#ackUs = nowUs;
    this.#acks += 1;
    this.#ackedUs.set(this.#acks, nowUs);
    this.#ackedUs.delete(this.#acks - OPEN_ACKS);
    const packetsPerSecond = Math.round((counts.received * 1e6) / Math.max(nowUs - this.#options.startUs, 1));
    const ack = {
      number: this.#acks,
      sequence: acknowledged,
      rttUs: Math.round(this.#rttUs),
      rttVarianceUs: Math.round(this.#rttVarianceUs),
      freePackets: Math.max(FLOW_WINDOW_PACKETS - waiting, 2),
      packetsPerSecond,
      bytesPerSecond: packetsPerSecond * SRT_PACKET_MAX_BYTES,
    };
    this.#send(writeFullAck(this.#view, 0, ack, this.#timestampUs(nowUs), this.#callerSocketId), nowUs);
  }

  #onAckack(number: number, nowUs: number): void {
    const ackedUs = this.#ackedUs.get(number);
    if (ackedUs === undefined) return;
    this.#ackedUs.delete(number);
    if (number === this.#acks) this.#isConfirmed = true;
    const rttUs = nowUs - ackedUs;
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      this.#rttUs = rttUs;
      this.#rttVarianceUs = rttUs / 2;
      return;
    }
    this.#rttVarianceUs += (Math.abs(rttUs - this.#rttUs) - this.#rttVarianceUs) / 4;
    this.#rttUs += (rttUs - this.#rttUs) / 8;
  }

  #reportLosses(ranges: readonly LossRange[], nowUs: number): void {
    if (ranges.length === 0) return;
    this.#lossReports += 1;
    this.#send(writeNak(this.#view, 0, ranges, this.#timestampUs(nowUs), this.#callerSocketId), nowUs);
  }

  #timestampUs(nowUs: number): number {
    return (nowUs - this.#options.startUs) >>> 0;
  }

  #send(length: number, nowUs: number): void {
    this.#spokeUs = nowUs;
    this.#options.send(this.#out.slice(0, length));
  }
}
