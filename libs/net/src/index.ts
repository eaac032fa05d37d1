export * from './packet-io.ts';
export * from './socket-address.ts';
