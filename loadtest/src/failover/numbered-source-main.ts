import { createSocket } from 'node:dgram';
import { createMonotonicClock } from '@mediaplane/media';
import { Pacer } from '@mediaplane/testkit';
import { NUMBERED_BYTES, UNCOUNTED } from './numbered-plan.ts';
import type { FromNumberedSource, ToNumberedSource } from './numbered-plan.ts';

/** Sends packets to a port of this machine, `packetsPerSecond` of them: a process of its own, that takes its orders by IPC. */
const [port, packetsPerSecond] = process.argv.slice(2).map(Number);
const socket = createSocket('udp4');
const packet = Buffer.alloc(NUMBERED_BYTES);
let left = 0;
let next = 0;

const answer = (message: FromNumberedSource): void => void process.send?.(message);
const pacer = new Pacer(1e6 / packetsPerSecond, createMonotonicClock(), () => {
  packet.writeUInt32BE(left > 0 ? next : UNCOUNTED);
  // A copy: the socket may send it later.
  socket.send(Buffer.from(packet), port, '127.0.0.1');
  if (left === 0) return;
  next += 1;
  left -= 1;
  if (left === 0) answer({ type: 'numbered' });
});
process.on('message', ({ packets }: ToNumberedSource) => {
  left = packets;
});
process.once('disconnect', () => {
  pacer.stop();
  process.exit(0);
});
