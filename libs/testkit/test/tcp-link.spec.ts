import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { startTcpLink } from '../src/tcp-link.ts';

/** A server that sends everything back, for the length of a test. */
async function echoServer(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const dispose = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port, [Symbol.asyncDispose]: dispose };
}

async function reply(socket: Socket): Promise<string> {
  const [bytes]: Buffer[] = await once(socket, 'data');
  return bytes.toString();
}

describe('startTcpLink', () => {
  test('relays, holds everything back while cut, and lets it flow when healed', async () => {
    await using target = await echoServer();
    await using link = await startTcpLink(target.port);
    const socket = connect(link.port, '127.0.0.1');
    const first = reply(socket);
    socket.write('one');
    expect(await first).toBe('one');

    link.cut();
    let isHealed = false;
    const second = reply(socket).then((text) => ({ text, isHealed }));
    socket.write('two');
    // A connection made meanwhile is as silent.
    const newcomer = connect(link.port, '127.0.0.1');
    const third = reply(newcomer).then((text) => ({ text, isHealed }));
    await once(newcomer, 'connect');
    newcomer.write('three');
    // The echo does not come by way of a round trip past the link either.
    const direct = connect(target.port, '127.0.0.1');
    const past = reply(direct);
    direct.write('past');
    expect(await past).toBe('past');
    isHealed = true;
    link.heal();
    expect(await second).toEqual({ text: 'two', isHealed: true });
    expect(await third).toEqual({ text: 'three', isHealed: true });
    for (const each of [socket, newcomer, direct]) each.destroy();
  });

  test('a reset breaks connections, and new ones work', async () => {
    await using target = await echoServer();
    await using link = await startTcpLink(target.port);
    const socket = connect(link.port, '127.0.0.1');
    const first = reply(socket);
    socket.write('one');
    await first;
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    link.reset();
    await closed;
    const again = connect(link.port, '127.0.0.1');
    const second = reply(again);
    again.write('two');
    expect(await second).toBe('two');
    again.destroy();
  });
});
