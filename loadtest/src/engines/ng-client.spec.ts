import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Bencoded } from './bencode.ts';
import { decodeBencode, encodeBencode } from './bencode.ts';
import { NgClient } from './ng-client.ts';

/** An rtpengine that says what it is told to say. */
async function fakeRtpengine(answer: (request: Bencoded, datagram: number) => Bencoded | Buffer | null) {
  const socket: Socket = createSocket('udp4');
  let datagrams = 0;
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const space = message.indexOf(' ');
    const reply = answer(decodeBencode(message.subarray(space + 1)), (datagrams += 1));
    if (reply === null) return;
    const body = Buffer.isBuffer(reply) ? reply : encodeBencode(reply);
    socket.send(Buffer.concat([message.subarray(0, space + 1), body]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, [Symbol.dispose]: () => socket.close() };
}

test('a request carries its command, and gets its own answer', async () => {
  using server = await fakeRtpengine((request) => ({ result: 'ok', request }));
  using client = new NgClient(server.port);
  const answers = await Promise.all([client.request('offer', { sdp: 'a' }), client.request('delete')]);
  expect(answers.map(({ request }) => request)).toEqual([{ command: 'offer', sdp: 'a' }, { command: 'delete' }]);
});

test('an error is an error', async () => {
  using server = await fakeRtpengine(() => ({ result: 'error', 'error-reason': 'Unknown call-id' }));
  using client = new NgClient(server.port);
  await expect(client.request('answer')).rejects.toThrow('rtpengine: answer: Unknown call-id');
});

test.each([Buffer.from('garbage'), encodeBencode(['a list'])])('%p is no answer', async (reply) => {
  using server = await fakeRtpengine(() => reply);
  using client = new NgClient(server.port);
  await expect(client.request('ping')).rejects.toThrow();
});

test('a lost request is repeated', async () => {
  using server = await fakeRtpengine((_, datagram) => (datagram === 1 ? null : { result: 'pong' }));
  using client = new NgClient(server.port);
  expect(await client.request('ping')).toEqual({ result: 'pong' });
});
