import { createMonotonicClock } from '@mediaplane/media';
import { createPacketIo, createUdpSockets } from '@mediaplane/net';
import type { UdpSocketHandle } from '@mediaplane/net';
import { BareLoop } from './bare-loop.ts';
import type { EngineMode, FromBareEngine, ToBareEngine } from './bare-protocol.ts';

/** The bare engine, a process of its own: one thread, no more. `argv[2]` is its latency budget in us; it ends with its parent. */
const SLICE_US = 200_000;
const BATCH_SIZE = 256;
/** What rtp-channel asks for by default. */
const RECEIVE_BUFFER_BYTES = 262_144;

const nowUs = createMonotonicClock();
const udp = createUdpSockets('native');
const io = createPacketIo({ implementation: 'native', batchSize: BATCH_SIZE });
const loop = new BareLoop(io, Number(process.argv[2]), BATCH_SIZE, nowUs);
const attached: { readonly handle: UdpSocketHandle; readonly socket: number }[] = [];

function answer(message: FromBareEngine): void {
  process.send?.(message);
}

async function open(mode: EngineMode, remotePorts: readonly number[]): Promise<readonly number[]> {
  const first = attached.length;
  const ports: number[] = [];
  for (const [i, remotePort] of remotePorts.entries()) {
    const handle = await udp.open({ address: '127.0.0.1', port: 0, receiveBufferBytes: RECEIVE_BUFFER_BYTES });
    const socket = await io.attach(handle, first + i);
    attached.push({ handle, socket });
    if (mode === 'relay') loop.add(first + i, socket, remotePort, first + (i ^ 1));
    else loop.add(first + i, socket, remotePort);
    ports.push(handle.port);
  }
  return ports;
}

function closeAll(): void {
  for (const { handle, socket } of attached.splice(0)) {
    io.detach(socket);
    udp.close(handle);
  }
}

function memory(): FromBareEngine {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { type: 'memory', heapBytes: heapUsed, externalBytes: external };
}

async function obey(order: ToBareEngine): Promise<FromBareEngine> {
  switch (order.type) {
    case 'open':
      return { type: 'opened', ports: await open(order.mode, order.remotePorts) };
    case 'closeAll':
      closeAll();
      return { type: 'closed' };
    case 'memory':
      return memory();
  }
}

process.on('message', (order: ToBareEngine) => {
  obey(order).then(answer, (error: unknown) => answer({ type: 'failed', message: String(error) }));
});
process.once('disconnect', () => process.exit(0));

/** Returns to the event loop between slices, to hear the parent. */
function slice(): void {
  loop.run(SLICE_US);
  setImmediate(slice);
}
answer({ type: 'ready' });
slice();
