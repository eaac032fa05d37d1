import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { MediaThreads } from '@mediaplane/media';
import { SocketAddress, createUdpSockets } from '@mediaplane/net';
import type { UdpSocketHandle } from '@mediaplane/net';
import { REGISTRATION_BYTES, SrtlaType } from '@mediaplane/srtla';
import { LINK_DEFAULTS, MAX_LINKS } from '../src/domain/sender/link-settings.ts';
import { SENDER_DEFAULTS } from '../src/domain/sender/options.ts';
import { SOCKET_ROLE } from '../src/media/contract.ts';
import type { SrtlaContract, SrtlaEvent } from '../src/media/contract.ts';

const LOOPBACK = '127.0.0.1';
const UPLINK = 'uplink';

/** A receiver that registers whoever asks. */
async function registrar(stack: AsyncDisposableStack): Promise<Socket> {
  const socket = createSocket('udp4');
  stack.defer(() => void socket.close());
  let id: Buffer | undefined;
  socket.on('message', (datagram, { port, address }) => {
    const type = datagram.readUInt16BE(0);
    if (type === SrtlaType.reg1) id = Buffer.from(datagram.subarray(2));
    const isKnown = id !== undefined && datagram.subarray(2).equals(id);
    const reply = Buffer.alloc(type === SrtlaType.reg1 ? REGISTRATION_BYTES : 32);
    if (type === SrtlaType.reg1) datagram.copy(reply);
    reply.writeUInt16BE(type === SrtlaType.reg1 ? SrtlaType.reg2 : isKnown ? SrtlaType.reg3 : SrtlaType.regNoGroup);
    if (type === SrtlaType.keepalive) socket.send(datagram, port, address);
    else socket.send(reply, port, address);
  });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}

async function uplink(stack: AsyncDisposableStack) {
  const events: SrtlaEvent[] = [];
  let wake = (): void => undefined;
  const threads = await MediaThreads.start<SrtlaContract>({
    threads: 1,
    program: new URL('../src/media/program.ts', import.meta.url),
    programCounters: [],
    implementation: 'native',
    latencyBudgetUs: 0,
    arenaBytes: 16 << 20,
    onEvent: (_, event) => {
      events.push(event);
      wake();
    },
    onSessionLost: (sessionId, _handles, cause) => {
      throw new Error(`${sessionId}: ${cause}`);
    },
  });
  const sockets = createUdpSockets('native');
  const handles: UdpSocketHandle[] = [];
  stack.defer(async () => {
    await threads.stop();
    for (const handle of handles) sockets.close(handle);
  });
  const open = async (): Promise<{ role: number; handle: UdpSocketHandle }> => {
    const handle = await sockets.open({ address: LOOPBACK, port: 0 });
    handles.push(handle);
    return { role: SOCKET_ROLE, handle };
  };
  const path = async (sessionId: string, link: number, receiverPort: number): Promise<void> => {
    const receiver = { ...new SocketAddress().set(0, 0, 0xffff, 0x7f000001, receiverPort) };
    await threads.open(sessionId, [await open()], { kind: 'path', uplinkId: UPLINK, link, receiver }, UPLINK);
  };
  await threads.open(UPLINK, [await open()], { kind: 'uplink', options: SENDER_DEFAULTS });
  /** The next event that is not among those that were waited for. */
  let taken = 0;
  const next = async (): Promise<SrtlaEvent> => {
    while (events.length === taken) await new Promise<void>((resolve) => (wake = resolve));
    return events[taken++];
  };
  return { threads, path, next };
}

test('links come and go by command, and their paths are replaced', async () => {
  await using stack = new AsyncDisposableStack();
  const { port } = (await registrar(stack)).address();
  const { threads, path, next } = await uplink(stack);
  await expect(path('path-0', 0, port)).rejects.toThrow('has no link 0');
  for (const link of [0, 1]) await threads.command(UPLINK, 'addLink', { link, settings: LINK_DEFAULTS });
  await path('path-0', 0, port);
  expect([await next(), await next()]).toEqual([{ type: 'uplink-registered' }, { type: 'uplink-link-up', link: 0 }]);
  await path('path-1', 1, port);
  expect(await next()).toEqual({ type: 'uplink-link-up', link: 1 });

  // One path takes the place of another, which is closed after it.
  await path('path-1-again', 1, port);
  expect([await next(), await next()]).toEqual([
    { type: 'uplink-link-down', link: 1, reason: 'no-path' },
    { type: 'uplink-link-up', link: 1 },
  ]);
  await threads.close('path-1', null);
  const statistics = await threads.command(UPLINK, 'uplinkStatistics', null);
  expect(statistics).toMatchObject({ mode: 'enhanced', registered: true, encoder: null, packets: 0 });
  expect(statistics.links.map(({ link, state, hasPath }) => ({ link, state, hasPath }))).toEqual([
    { link: 0, state: 'live', hasPath: true },
    { link: 1, state: 'live', hasPath: true },
  ]);

  await threads.close('path-0', null);
  expect(await next()).toEqual({ type: 'uplink-link-down', link: 0, reason: 'no-path' });
  await threads.command(UPLINK, 'removeLink', { link: 1 });
  expect(await next()).toEqual({ type: 'uplink-link-down', link: 1, reason: 'removed' });
  await threads.close('path-1-again', null);
  await threads.close(UPLINK, null);
}, 30_000);

test('a seventeenth link is refused, and so is one that is there or is not', async () => {
  await using stack = new AsyncDisposableStack();
  const { threads } = await uplink(stack);
  const add = (link: number): Promise<null> => threads.command(UPLINK, 'addLink', { link, settings: LINK_DEFAULTS });
  for (let link = 0; link < MAX_LINKS; link += 1) await add(link);
  await expect(add(MAX_LINKS)).rejects.toThrow('at most 16');
  await expect(add(3)).rejects.toThrow('there is a link 3');
  await threads.command(UPLINK, 'removeLink', { link: 3 });
  await expect(threads.command(UPLINK, 'removeLink', { link: 3 })).rejects.toThrow('no link 3');
  await add(3);
  await threads.command(UPLINK, 'setUplinkMode', { mode: 'classic' });
  await threads.command(UPLINK, 'keyFrames', { durationMs: 40 });
  expect((await threads.command(UPLINK, 'uplinkStatistics', null)).mode).toBe('classic');
}, 30_000);
