/**
 * What tests, the demonstration call and the load generator share: an RTP phone that judges what it hears, a real
 * nats-server and child processes with a guaranteed end, and a simulated network on a virtual clock. The phone reads RTP
 * with code of its own, so that no library is checked with itself. Helpers that need Jest are in `@mediaplane/testkit/jest`.
 */
export * from './free-port.ts';
export * from './nats-server.ts';
export * from './process.ts';
export * from './system-binary.ts';
export * from './temp-folder.ts';
export * from './wait-list.ts';
