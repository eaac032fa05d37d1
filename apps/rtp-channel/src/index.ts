/**
 * rtp-channel: RTP endpoints for telephony. Channels are opened, connected, played into, recorded and closed over gRPC
 * (`mediaplane.rtp.v1.RtpChannelService`); their media flows on media threads (src/media).
 */
export { rtpChannelConfig } from './config.ts';
export type { RtpChannelConfig } from './config.ts';
export { RTP_CHANNEL_METRICS } from './metrics.ts';
export { RtpChannel } from './rtp-channel.ts';
export { startRtpChannel } from './service-spec.ts';
