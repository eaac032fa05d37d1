import { createMonotonicClock } from '@mediaplane/media';
import { createPacketIo, createUdpSockets } from '@mediaplane/net';
import type { FromSink, ToSink } from './srt-plan.ts';
import { PROBE_BYTES } from './srt-probe.ts';
import { SrtSink } from './srt-sink.ts';
import { until } from './until.ts';

/** The SRT server of an SRT load test, a process of its own; it takes orders from its parent by IPC and ends with it. */
const RECEIVE_BUFFER_BYTES = 16 << 20;

const io = createPacketIo({ implementation: 'native', arenaBytes: 2 << 20 });
let sink: SrtSink | undefined;

async function listen(bonded: boolean): Promise<number> {
  const udp = createUdpSockets('native');
  const handle = await udp.open({ address: '127.0.0.1', port: 0, receiveBufferBytes: RECEIVE_BUFFER_BYTES });
  const opened = new SrtSink(io, await io.attach(handle, 0), io.reserve(PROBE_BYTES), bonded, createMonotonicClock());
  sink = opened;
  void until((sliceUs) => opened.serve(sliceUs)).then(
    () => answer({ type: 'counted', result: opened.result() }),
    (error: unknown) => answer({ type: 'failed', message: String(error) }),
  );
  return handle.port;
}

const answer = (message: FromSink): void => void process.send?.(message);
process.on('message', (order: ToSink) => {
  if (order.type === 'count') return sink?.count(order.groups, order.times);
  listen(order.bonded).then(
    (port) => answer({ type: 'listening', port }),
    (error: unknown) => answer({ type: 'failed', message: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
