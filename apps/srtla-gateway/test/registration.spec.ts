import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TestGateway } from './support/gateway.ts';

const LOOPBACK = '127.0.0.1';
const REG1 = 0x9200;
const REG2 = 0x9201;
const REG3 = 0x9202;
const NO_GROUP = 0x9211;
const NO_SERVER = 9;

let gateway: TestGateway;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  gateway = await TestGateway.start();
  port = await gateway.listen(NO_SERVER);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await gateway[Symbol.asyncDispose]();
});

/** A sender's link of its own; what the gateway answers to a registration of that type with that id. */
async function link(): Promise<(type: number, id: Uint8Array) => Promise<Buffer>> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return async (type, id) => {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
    socket.send(Buffer.from([type >> 8, type & 0xff, ...id]), port, LOOPBACK);
    const [bytes] = await answer;
    return bytes;
  };
}

/** An id that the gateway has issued. */
async function newId(): Promise<Uint8Array> {
  const ask = await link();
  const answer = await ask(REG1, new Uint8Array(256).fill(0xab));
  expect([answer.readUInt16BE(0), answer.length]).toEqual([REG2, 258]);
  return answer.subarray(2);
}

async function join(id: Uint8Array): Promise<number> {
  const ask = await link();
  const answer = await ask(REG2, id);
  return answer.readUInt16BE(0);
}

const key = (id: number) => ({ id, secret: new Uint8Array(32).fill(id + 2) });

describe('a listener', () => {
  test('takes ids of the key before while it goes on with another, and not of the one before that', async () => {
    const [one, two] = [await newId(), await newId()];
    await gateway.setTokenKeys(key(2), gateway.tokenKey);
    expect(await join(one)).toBe(REG3);
    const three = await newId();
    await gateway.setTokenKeys(key(3), key(2));
    expect(await join(two)).toBe(NO_GROUP);
    expect(await join(three)).toBe(REG3);
    // Its group is up: no token is looked at.
    expect(await join(one)).toBe(REG3);
  });

  test('ends a group that is kicked, and its id', async () => {
    const id = await newId();
    expect(await join(id)).toBe(REG3);
    await gateway.seen('group-up');
    expect(await gateway.kick(1)).toBe(true);
    await gateway.seen('group-down');
    expect(gateway.events.at(-1)).toEqual({ type: 'group-down', group: 1, reason: 'kicked' });
    expect(await join(id)).toBe(NO_GROUP);
    expect(await gateway.kick(1)).toBe(false);
    expect(await join(await newId())).toBe(REG3);
  });
});
