import { LinkTelemetry, keepaliveTimeMs, writeExtendedKeepalive } from '@mediaplane/srtla';
import type { SenderLink } from './link.ts';
import type { SendLog } from './send-log.ts';
import type { SenderParts } from './sender-parts.ts';

const KEEPALIVE_US = 1e6;
const MAX_RTT_MS = 10_000;

/** Asks each link once a second whether it is there, measures the round trip by the echo, and tells the receiver how the link does. */
export class Keepalives {
  readonly #parts: SenderParts;
  readonly #log: SendLog;
  readonly #telemetry = new LinkTelemetry();

  constructor(parts: SenderParts, log: SendLog) {
    this.#parts = parts;
    this.#log = log;
  }

  /** Sends one by the link, unless that was done less than `intervalUs` ago. */
  send(link: SenderLink, nowUs: number, intervalUs = KEEPALIVE_US): void {
    if (nowUs - link.keepaliveUs < intervalUs) return;
    const { view, output, scratch } = this.#parts;
    const telemetry = this.#telemetry;
    link.keepaliveUs = nowUs;
    link.keepaliveSent = link.sent;
    if (link.unansweredUs === Infinity) link.unansweredUs = nowUs;
    telemetry.connectionId = link.index;
    telemetry.window = link.window;
    telemetry.inFlightPackets = this.#log.inFlight(link.index);
    telemetry.smoothedRttMs = Math.max(Math.round(link.rtt.valueMs), 0);
    telemetry.naks = link.meter.naks;
    telemetry.bytesPerSecond = Math.round(link.meter.bitrateBps / 8);
    // A time of 0 would be none.
    const length = writeExtendedKeepalive(view, scratch, Math.floor(nowUs / 1000) + 1, telemetry);
    link.meter.bytes += length;
    output.control(link, scratch, length);
  }

  /** Takes the round trip of an echo. Returns when it was sent; -1 for one that the receiver began, without a time or with its own. */
  onEcho(link: SenderLink, offset: number, length: number, nowUs: number): number {
    const sentMs = keepaliveTimeMs(this.#parts.view, offset, length);
    const rttMs = Math.floor(nowUs / 1000) + 1 - sentMs;
    if (sentMs <= 0 || rttMs < 0 || rttMs > MAX_RTT_MS) return -1;
    link.onRoundTrip(rttMs, nowUs);
    return (sentMs - 1) * 1000;
  }
}
