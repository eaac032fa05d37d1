import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { Errno, errnoName } from './errno.ts';
import { DatagramReceiver } from './receive.ts';
import { DatagramSender } from './send.ts';
import { sleepUs } from './sleep.ts';
import { AF_INET } from './sockaddr.ts';
import { bindSocket, boundAddress, closeDescriptor, openUdpSocket } from './socket.ts';

const LOOPBACK = 0x7f000001;
const SLOTS = { offset: 0, strideBytes: 256, payloadBytes: 200, count: 4 };
const WILD = [NaN, Infinity, -1, 0.5, 2 ** 31, 2 ** 40, -(2 ** 53), 4097];

describe('datagrams', () => {
  let fd: number;
  let arena: Arena;
  let receiver: DatagramReceiver;
  let sender: DatagramSender;

  beforeEach(() => {
    fd = openUdpSocket(AF_INET);
    bindSocket(fd, AF_INET, 0, 0, 0xffff, LOOPBACK, 0);
    const bound = new Int32Array(5);
    boundAddress(fd, bound, 0);
    arena = new Arena(4096);
    receiver = new DatagramReceiver(arena, SLOTS);
    sender = new DatagramSender(arena);
    sender.setDestination(0, AF_INET, 0, 0, 0xffff, LOOPBACK, bound[4]);
  });

  afterEach(() => {
    closeDescriptor(fd);
    arena.close();
  });

  test('go out and come in, one or many at a time, and tell when they were cut', () => {
    arena.bytes.set([1, 2, 3], 2048);
    expect(sender.send(fd, 2048, 3)).toBe(3);
    expect(receiver.receiveOne(fd, 3)).toBe(3);
    expect([...arena.bytes.subarray(768, 771)]).toEqual([1, 2, 3]);
    for (const length of [0, 201, 200]) expect(sender.send(fd, 2048, length)).toBe(length);
    expect(receiver.receiveMany(fd, 1, 3)).toBe(3);
    expect([1, 2, 3].map((slot) => receiver.length(slot))).toEqual([0, 201, 200]);
    const words = new Int32Array(5);
    receiver.source(2, words, 0);
    expect([...words.subarray(0, 4)]).toEqual([0, 0, 0xffff, LOOPBACK]);
    expect(receiver.receiveOne(fd, 0)).toBe(-Errno.EAGAIN);
    expect(receiver.receiveMany(fd, 0, 4)).toBe(-Errno.EAGAIN);
  });

  test.each(WILD)('%d as offset, length, slot or descriptor throws and does nothing', (wild) => {
    const calls: (() => unknown)[] = [
      () => sender.send(fd, wild, 1),
      () => sender.send(fd, 0, wild),
      () => receiver.receiveOne(fd, wild),
      () => receiver.receiveMany(fd, wild, 1),
      () => receiver.receiveMany(fd, 0, wild),
      () => new DatagramReceiver(arena, { ...SLOTS, offset: wild }),
      () => new DatagramReceiver(arena, { ...SLOTS, payloadBytes: wild }),
      () => new DatagramReceiver(arena, { ...SLOTS, strideBytes: wild }),
    ];
    if (wild !== 4097) {
      calls.push(
        () => sender.send(wild, 0, 1),
        () => receiver.receiveOne(wild, 0),
        () => sender.send(fd, 0, 1, wild),
        () => sender.setDestination(wild, AF_INET, 0, 0, 0xffff, LOOPBACK, 9),
        () => closeDescriptor(wild),
      );
    }
    for (const call of calls) expect(call).toThrow(RangeError);
    expect(receiver.receiveOne(fd, 0)).toBe(-Errno.EAGAIN);
  });

  test('no numbers crash: each call throws RangeError or returns a result or an errno', () => {
    const number = fc.oneof(fc.constantFrom(...WILD), fc.integer({ min: -2, max: 4100 }), fc.double());
    fc.assert(
      fc.property(number, number, (a, b) => {
        for (const call of [
          () => sender.send(fd, a, b),
          () => receiver.receiveOne(fd, a),
          () => receiver.receiveMany(fd, a, b),
        ]) {
          try {
            expect(Number.isInteger(call())).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('are refused once their arena is closed', () => {
    arena.close();
    expect(() => sender.send(fd, 0, 1)).toThrow(RangeError);
    expect(() => receiver.receiveOne(fd, 0)).toThrow(RangeError);
    expect(() => receiver.receiveMany(fd, 0, 1)).toThrow(RangeError);
  });
});

test('a failed call tells its name and the errno', () => {
  const fds = [openUdpSocket(AF_INET), openUdpSocket(AF_INET)];
  const bound = new Int32Array(5);
  bindSocket(fds[0], AF_INET, 0, 0, 0xffff, LOOPBACK, 0);
  boundAddress(fds[0], bound, 0);
  expect(() => bindSocket(fds[1], AF_INET, 0, 0, 0xffff, LOOPBACK, bound[4])).toThrow(
    expect.objectContaining({ call: 'bind', code: 'EADDRINUSE', message: 'bind failed: EADDRINUSE' }),
  );
  fds.forEach((fd) => closeDescriptor(fd));
  expect(closeDescriptor(fds[0])).toBe(false);
  expect(errnoName(4095)).toBe('errno 4095');
});

test('sleepUs refuses what usleep would take wrongly', () => {
  for (const us of [NaN, -1, 1_000_000]) expect(() => sleepUs(us)).toThrow(RangeError);
  sleepUs(1);
});

test('several threads use the library at once', async () => {
  const program = `
    (async () => {
      const native = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      const fd = native.openUdpSocket(native.AF_INET);
      native.bindSocket(fd, native.AF_INET, 0, 0, 0xffff, ${LOOPBACK}, 0);
      const bound = new Int32Array(5);
      native.boundAddress(fd, bound, 0);
      const arena = new native.Arena(4096);
      const receiver = new native.DatagramReceiver(arena, ${JSON.stringify(SLOTS)});
      const sender = new native.DatagramSender(arena);
      sender.setDestination(0, native.AF_INET, 0, 0, 0xffff, ${LOOPBACK}, bound[4]);
      let received = 0;
      for (let round = 0; round < 2000; round++) {
        sender.send(fd, 2048, 100);
        if (receiver.receiveOne(fd, round % 4) === 100) received++;
      }
      native.closeDescriptor(fd);
      require('node:worker_threads').parentPort.postMessage(received);
    })();`;
  const workers = Array.from({ length: 3 }, () => new Worker(program, { eval: true }));
  const received = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));
  expect(received).toEqual([2000, 2000, 2000]);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
