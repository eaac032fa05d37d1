import { randomBytes } from 'node:crypto';
import { createMonotonicClock } from '@mediaplane/media';
import { SocketAddress, createPacketIo, createUdpSockets } from '@mediaplane/net';
import { GROUP_ID_BYTES } from '@mediaplane/srtla';
import { linkAddress } from '../engines/bonding-engine.ts';
import { SourceGroup } from './srt-group.ts';
import type { FromSource, SourcePlan, ToSource } from './srt-plan.ts';
import { PROBE_BYTES } from './srt-probe.ts';
import { SrtSource } from './srt-source.ts';
import { until } from './until.ts';

/** The encoders of an SRT load test, a process of its own; it takes orders from its parent by IPC and ends with it. */
const LOOPBACK_WORD = 0x7f000001;
const V4_MAPPED_WORD = 0xffff;
const ARENA_BYTES = 4 << 20;
const RECEIVE_BUFFER_BYTES = 1 << 20;

const nowUs = createMonotonicClock();
const udp = createUdpSockets('native');
const io = createPacketIo({ implementation: 'native', arenaBytes: ARENA_BYTES });
let source: SrtSource | undefined;

/** Link 0 of each group is at 127.0.0.2, link 1 at 127.0.0.3 and so on, as links of a real sender have addresses of their own. */
async function open(address: string): Promise<number> {
  const handle = await udp.open({ address, port: 0, receiveBufferBytes: RECEIVE_BUFFER_BYTES });
  return io.attach(handle, sockets++);
}
let sockets = 0;

async function makeSource({ groups, links, targetPort }: SourcePlan): Promise<SrtSource> {
  const to = new SocketAddress().set(0, 0, V4_MAPPED_WORD, LOOPBACK_WORD, targetPort);
  const all: SourceGroup[] = [];
  const owners: SourceGroup[] = [];
  for (let number = 0; number < groups; number += 1) {
    const own: number[] = [];
    if (links === 0) own.push(await open('127.0.0.1'));
    for (let link = 0; link < links; link += 1) own.push(await open(linkAddress(link)));
    const id = links === 0 ? null : randomBytes(GROUP_ID_BYTES);
    const group = new SourceGroup(io, number, own, to, io.reserve(PROBE_BYTES), id, nowUs());
    all.push(group);
    for (const socket of own) owners[socket] = group;
  }
  return new SrtSource(io, all, owners, nowUs);
}

async function obey(order: ToSource): Promise<FromSource> {
  if (order.type === 'connect') {
    const made = (source = await makeSource(order.plan));
    await until((sliceUs) => made.connect(sliceUs));
    return { type: 'connected' };
  }
  const connected = source;
  if (connected === undefined) throw new Error('send before connect');
  await until((sliceUs) => connected.send(order.times, sliceUs));
  return { type: 'sent', result: connected.result() };
}

const answer = (message: FromSource): void => void process.send?.(message);
process.on('message', (order: ToSource) => {
  obey(order).then(answer, (error: unknown) => answer({ type: 'failed', message: String(error) }));
});
process.once('disconnect', () => process.exit(0));
