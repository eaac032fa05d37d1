/**
 * SRTLA (SRT over bonded links) and what a bonding relay has to know of SRT, without input, output or clock: the wire formats of both,
 * and 31-bit packet sequence numbers. Packets are (view, offset, length) in the caller's memory, offsets absolute; nothing that runs
 * per packet allocates.
 */
export * from './keepalive.ts';
export * from './srtla-ack.ts';
export * from './srtla-packet.ts';
