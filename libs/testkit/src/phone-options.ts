import type { G711Codec } from '@mediaplane/audio';
import type { Impairment } from './impairment.ts';

export interface RtpPhoneOptions {
  /** IP literal to bind, IPv4 or IPv6; default 127.0.0.1. */
  readonly address?: string;
  /** What it speaks; it understands both. Default PCMU. */
  readonly codec?: G711Codec;
  /** Default the static one of the codec: 0 or 8 (RFC 3551). */
  readonly payloadType?: number;
  /** Default 101. */
  readonly dtmfPayloadType?: number;
  /** Default 20. */
  readonly ptimeMs?: number;
  /** Of everything that is random: SSRC, first sequence number and timestamp, impairment. Default 1; give each phone its own. */
  readonly seed?: number;
  readonly ssrc?: number;
  readonly sequenceNumber?: number;
  readonly timestamp?: number;
  readonly cname?: string;
  /** Reports are sent this often while it speaks or echoes; 0 (default): only by `sendReport`. */
  readonly rtcpIntervalMs?: number;
  /** Writes the time of sending into each audio payload: the other phone then tells latencies, and hears noise. */
  readonly stamp?: boolean;
  /** Sends each RTP packet back at once, under its own SSRC, as it came otherwise. Such a phone does not `start`. */
  readonly echo?: boolean;
  readonly impairment?: Impairment;
}

export interface PhoneRemote {
  readonly address: string;
  readonly port: number;
  /** Default `port + 1`. */
  readonly rtcpPort?: number;
}
