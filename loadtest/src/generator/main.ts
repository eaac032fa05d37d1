import { createMonotonicClock } from '@mediaplane/media';
import { createPacketIo, createUdpSockets } from '@mediaplane/net';
import type { PacketIo } from '@mediaplane/net';
import { FLOOD_RUN, Flood } from './flood.ts';
import type { FromGenerator, ToGenerator } from './plan.ts';
import { PACKET_BYTES } from './probe-packet.ts';
import { Traffic } from './traffic.ts';
import { until } from './until.ts';

/**
 * The load generator, a process of its own so that its CPU is nobody else's. It takes orders from its parent by IPC, and
 * ends with it.
 */
const ARENA_BYTES = 4 << 20;
const RECEIVE_BUFFER_BYTES = 262_144;
const LOOPBACK = '127.0.0.1';

const nowUs = createMonotonicClock();
const udp = createUdpSockets('native');
const io: PacketIo = createPacketIo({ implementation: 'native', arenaBytes: ARENA_BYTES });
const scratch = io.reserve(FLOOD_RUN * PACKET_BYTES);
let sockets = 0;

function answer(message: FromGenerator): void {
  process.send?.(message);
}

async function open(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (; ports.length < count; sockets += 1) {
    const handle = await udp.open({ address: LOOPBACK, port: 0, receiveBufferBytes: RECEIVE_BUFFER_BYTES });
    const index = await io.attach(handle, sockets);
    // Nothing is ever detached, so indices count up: one number names a socket everywhere.
    if (index !== sockets) throw new Error(`socket ${sockets} got index ${index}`);
    ports.push(handle.port);
  }
  return ports;
}

async function obey(order: ToGenerator): Promise<void> {
  switch (order.type) {
    case 'open':
      return answer({ type: 'opened', ports: await open(order.sockets) });
    case 'traffic': {
      const traffic = new Traffic(io, sockets, scratch, order.plan, nowUs);
      await until((sliceUs) => traffic.run(sliceUs));
      return answer({ type: 'traffic', result: traffic.result() });
    }
    case 'flood': {
      const flood = new Flood(io, sockets, scratch, order.plan, nowUs);
      await until((sliceUs) => flood.run(sliceUs));
      return answer({ type: 'flood', result: flood.result() });
    }
  }
}

process.on('message', (order: ToGenerator) => {
  obey(order).catch((error: unknown) => answer({ type: 'failed', message: String(error) }));
});
process.once('disconnect', () => process.exit(0));
