/**
 * The wire formats and state machines of RTP, without input, output or clock: RTP and RTCP packets (RFC 3550, RFC 8285),
 * telephone events (RFC 4733), what a receiver knows of a source, the line that a sender is on, the NAT latch, and the quality
 * that a listener has. Packets are (view, offset, length) in the caller's memory, offsets absolute; nothing allocates per packet.
 *
 * SSRCs and RTP timestamps are int32 in memory (bits as on the wire), since V8 keeps those unboxed: compare with `=== (x | 0)`,
 * print with `>>> 0`. Functions that take one accept either form. `nowUs` is any monotonic clock in microseconds.
 */
export * from './demux.ts';
export * from './errors.ts';
export * from './header-extensions.ts';
export * from './latch.ts';
export * from './ntp.ts';
export * from './outbound-stream.ts';
export * from './payload-types.ts';
export * from './quality.ts';
export * from './rtcp.ts';
export * from './rtcp-interval.ts';
export * from './rtcp-session.ts';
export * from './rtcp-writer.ts';
export * from './rtp-header.ts';
export * from './sequence-number.ts';
export * from './source-statistics.ts';
export * from './telephone-event.ts';
export * from './telephone-event-receiver.ts';
export * from './telephone-event-sender.ts';
export * from './transport-address.ts';
