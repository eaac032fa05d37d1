import { createSocket } from 'node:dgram';
import { UNCOUNTED } from './numbered-plan.ts';
import type { FromNumberedSink, ToNumberedSink } from './numbered-plan.ts';

/** Counts the numbered packets that come to a port of this machine: a process of its own, that takes its orders by IPC. */
const RECEIVE_BUFFER_BYTES = 4 << 20;
const LOOK_MS = 50;

const [port] = process.argv.slice(2).map(Number);
const seen = new Set<number>();
let lastMs = 0;
let isFlowing = false;

const answer = (message: FromNumberedSink): void => void process.send?.(message);
const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
socket.on('message', (message) => {
  if (!isFlowing) answer({ type: 'flowing' });
  isFlowing = true;
  const number = message.length < 4 ? UNCOUNTED : message.readUInt32BE();
  if (number === UNCOUNTED) return;
  lastMs = performance.now();
  seen.add(number);
});
socket.bind(port, '127.0.0.1');

process.on('message', ({ packets, idleMs }: ToNumberedSink) => {
  lastMs = performance.now();
  const look = setInterval(() => {
    if (!seen.has(packets - 1) && performance.now() - lastMs < idleMs) return;
    clearInterval(look);
    answer({ type: 'counted', received: seen.size });
  }, LOOK_MS);
});
process.once('disconnect', () => process.exit(0));
