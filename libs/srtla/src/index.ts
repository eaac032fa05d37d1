/**
 * SRTLA (SRT over bonded links) and what a bonding relay has to know of SRT, without input, output or clock: the wire formats of both,
 * and 31-bit packet sequence numbers. Packets are (view, offset, length) in the caller's memory, offsets absolute; nothing that runs
 * per packet allocates.
 */
export * from './keepalive.ts';
export * from './srt/endpoint-packets.ts';
export * from './srt/handshake-replies.ts';
export * from './srt/padding.ts';
export * from './srt/sequence.ts';
export * from './srt/srt-ack.ts';
export * from './srt/srt-handshake.ts';
export * from './srt/srt-nak.ts';
export * from './srt/srt-packet.ts';
export * from './srt/stream-id.ts';
export * from './srtla-ack.ts';
export * from './srtla-packet.ts';
