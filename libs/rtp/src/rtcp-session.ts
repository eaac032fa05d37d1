import type { ParseError as ParseErrorCode } from './errors.ts';
import { ParseError } from './errors.ts';
import { NO_ROUND_TRIP, ntpFraction, ntpInterval, ntpMiddle, ntpSeconds, roundTripUs } from './ntp.ts';
import type { OutboundStream } from './outbound-stream.ts';
import { rtcpIntervalUs } from './rtcp-interval.ts';
import { writeBye, writeReport, writeSdesCname } from './rtcp-writer.ts';
import { ReportBlock, RtcpCursor, RtcpType } from './rtcp.ts';
import type { RtpSourceStatistics } from './source-statistics.ts';

/** More than a compound packet of this session can be: SR with a block, SDES with the longest CNAME, BYE with the longest reason. */
export const MAX_RTCP_BYTES = 28 + 24 + 268 + 264;

/** Scratch of all sessions: they hold nothing between calls. */
const cursor = new RtcpCursor();
const block = new ReportBlock();
const textEncoder = new TextEncoder();
const sender = { ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0, packetCount: 0, octetCount: 0 };

/**
 * RTCP of one stream in each direction: when a report is due, what it says, and what the peer's reports say. The caller sends
 * what is written when `nextDeadlineUs` has come, and passes in what came from the latched source.
 */
export class RtcpSession {
  nextDeadlineUs: number;
  sent = 0;
  received = 0;
  malformed = 0;
  /** The peer has said goodbye. */
  byeReceived = false;

  /** What the peer has last reported of our stream; `remoteReports` 0: nothing yet. */
  remoteReports = 0;
  /** Since its report before, 0 to 1. */
  remoteLossRatio = 0;
  remoteCumulativeLost = 0;
  /** In units of our clock. */
  remoteJitter = 0;
  /** NO_ROUND_TRIP until one was measured. */
  roundTripUs = NO_ROUND_TRIP;

  private readonly cname: string;
  private readonly unixOffsetUs: number;
  private packetsSentBefore = 0;
  private senderReportSsrc = 0;
  /** Middle of the NTP time of the peer's last SR; 0: none yet. */
  private senderReportMiddle = 0;
  private senderReportUs = 0;

  /** `cname`: 1 to 255 bytes in UTF-8. `unixOffsetUs`: Unix time less `nowUs`, fixed for the session. `random` in [0, 1). */
  constructor(cname: string, unixOffsetUs: number, nowUs: number, random: number) {
    this.cname = cname;
    this.unixOffsetUs = unixOffsetUs;
    this.nextDeadlineUs = nowUs + rtcpIntervalUs(true, random);
  }

  /**
   * Writes the report that is due and sets the next deadline: SR if anything was sent since the one before, else RR, and SDES.
   * Returns its length, at most MAX_RTCP_BYTES.
   */
  writeReport(
    view: DataView,
    offset: number,
    outbound: OutboundStream,
    inbound: RtpSourceStatistics,
    nowUs: number,
    random: number,
  ): number {
    this.nextDeadlineUs = nowUs + rtcpIntervalUs(false, random);
    return this.writeCompound(view, offset, outbound, inbound, nowUs);
  }

  /** Writes the last packet of the session: a report, SDES and BYE. Returns its length. */
  writeBye(
    view: DataView,
    offset: number,
    outbound: OutboundStream,
    inbound: RtpSourceStatistics,
    nowUs: number,
    reason: Uint8Array,
  ): number {
    this.nextDeadlineUs = Infinity;
    const length = this.writeCompound(view, offset, outbound, inbound, nowUs);
    return length + writeBye(view, offset + length, outbound.ssrc, reason);
  }

  /** Takes a compound packet in. `ownSsrc`: whose reception the peer reports on. */
  receive(view: DataView, offset: number, length: number, ownSsrc: number, nowUs: number): ParseErrorCode {
    const error = cursor.begin(view, offset, length);
    if (error !== ParseError.none) {
      this.malformed++;
      return error;
    }
    this.received++;
    while (cursor.next()) {
      if (cursor.type === RtcpType.senderReport) {
        this.senderReportSsrc = cursor.ssrc;
        this.senderReportMiddle = ntpMiddle(cursor.ntpSeconds, cursor.ntpFraction);
        this.senderReportUs = nowUs;
      }
      if (cursor.type === RtcpType.senderReport || cursor.type === RtcpType.receiverReport) {
        for (let i = 0; i < cursor.count; i++) {
          cursor.reportBlock(i, block);
          if (block.ssrc === (ownSsrc | 0)) this.takeBlock(nowUs);
        }
      } else if (cursor.type === RtcpType.bye) {
        this.byeReceived = true;
      }
    }
    return ParseError.none;
  }

  private takeBlock(nowUs: number): void {
    this.remoteReports++;
    this.remoteLossRatio = block.fractionLost / 256;
    this.remoteCumulativeLost = block.cumulativeLost;
    this.remoteJitter = block.jitter >>> 0;
    const unixUs = nowUs + this.unixOffsetUs;
    const now = ntpMiddle(ntpSeconds(unixUs), ntpFraction(unixUs));
    const measured = roundTripUs(now, block.lastSenderReport, block.delaySinceLastSenderReport);
    if (measured !== NO_ROUND_TRIP) this.roundTripUs = measured;
  }

  private writeCompound(
    view: DataView,
    offset: number,
    outbound: OutboundStream,
    inbound: RtpSourceStatistics,
    nowUs: number,
  ): number {
    const sends = outbound.packetsSent > this.packetsSentBefore;
    this.packetsSentBefore = outbound.packetsSent;
    if (sends) {
      const unixUs = nowUs + this.unixOffsetUs;
      sender.ntpSeconds = ntpSeconds(unixUs);
      sender.ntpFraction = ntpFraction(unixUs);
      sender.rtpTimestamp = outbound.rtpTimestampAt(nowUs);
      sender.packetCount = outbound.packetsSent;
      sender.octetCount = outbound.octetsSent;
    }
    if (inbound.valid) {
      const known = this.senderReportMiddle !== 0 && this.senderReportSsrc === inbound.ssrc;
      block.ssrc = inbound.ssrc;
      block.fractionLost = inbound.takeFractionLost();
      block.cumulativeLost = inbound.lost;
      block.extendedSequence = inbound.extendedSequence;
      block.jitter = inbound.jitter;
      block.lastSenderReport = known ? this.senderReportMiddle : 0;
      block.delaySinceLastSenderReport = known ? ntpInterval(nowUs - this.senderReportUs) : 0;
    }
    this.sent++;
    const length = writeReport(view, offset, outbound.ssrc, sends ? sender : null, inbound.valid ? block : null);
    return length + writeSdesCname(view, offset + length, outbound.ssrc, textEncoder.encode(this.cname));
  }
}
