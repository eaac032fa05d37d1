/**
 * What tests, the demonstration and the load generator share: an RTP phone that judges what it hears, both ends of a live SRT
 * session, a real nats-server and child processes with a guaranteed end, and a simulated network on a virtual clock. The phone reads
 * RTP with code of its own, so that no library is checked with itself; the SRT ends are checked against libsrt. Helpers that need
 * Jest are in `@mediaplane/testkit/jest`.
 */
export * from './digit-ear.ts';
export * from './free-port.ts';
export * from './impairment.ts';
export * from './nats-server.ts';
export * from './pacer.ts';
export * from './payload-stamp.ts';
export * from './phone.ts';
export * from './phone-options.ts';
export type { PhoneRtcp, ReceivedRtcp } from './phone-rtcp.ts';
export * from './process.ts';
export * from './received-stream.ts';
export * from './rtcp-packet.ts';
export * from './rtp-packet.ts';
export * from './rtp-timeline.ts';
export type { DigitOptions, RtpVoice } from './rtp-voice.ts';
export * from './refused-fields.ts';
export * from './seeded-random.ts';
export * from './simulated-network.ts';
export * from './spectrum.ts';
export * from './speech-samples.ts';
export type { SrtDelivery } from './srt-arrivals.ts';
export * from './srt-caller.ts';
export { SrtRefusedError } from './srt-handshaking.ts';
export type { SrtCallerOptions } from './srt-handshaking.ts';
export * from './srt-listener.ts';
export type { SrtSession, SrtSessionStatistics } from './srt-session.ts';
export { srtNowUs } from './srt-settings.ts';
export type { SrtEnd } from './srt-settings.ts';
export * from './system-binary.ts';
export * from './tcp-link.ts';
export * from './temp-folder.ts';
export * from './udp-relay.ts';
export * from './virtual-clock.ts';
export * from './wait-list.ts';
export * from './wav-checks.ts';
