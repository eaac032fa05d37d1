import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setSocketOption } from '@mediaplane/native';
import { parseSocketAddress } from './address-text.ts';
import { closeDoorbell, createDoorbell, ring } from './doorbell.ts';
import { defaultImplementation } from './implementation.ts';
import { NativePacketIo } from './native-packet-io.ts';
import { NativeUdpSockets } from './native-udp-sockets.ts';

const LARGE_BUFFERS = { receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 };
/** Without checksums on outgoing datagrams Linux refuses UDP_SEGMENT with EINVAL: a route that cannot segment. */
const SO_NO_CHECK = { level: 1, name: 11 };

const sockets = new NativeUdpSockets();
let io: NativePacketIo;

beforeEach(() => {
  io = new NativePacketIo();
});
afterEach(() => io.close());

describe('NativePacketIo', () => {
  test('goes back to single sends, for good on that socket, where segmentation is refused', async () => {
    const refusing = await sockets.open({ address: '127.0.0.1', port: 0, ...LARGE_BUFFERS });
    const peer = await sockets.open({ address: '127.0.0.1', port: 0, ...LARGE_BUFFERS });
    setSocketOption(refusing.fd, SO_NO_CHECK, 1);
    const [from, back] = [io.attach(refusing, 1), io.attach(peer, 2)];
    const offset = io.reserve(2000);
    const to = parseSocketAddress('127.0.0.1', peer.port);
    expect([io.sendRun(from, offset, 100, 950, to), io.sendRun(from, offset, 100, 950, to)]).toEqual([10, 10]);
    expect(io.counters).toMatchObject({ gsoRefused: 1, sent: 20, sentBytes: 1900, sendFailed: 0 });
    expect(io.sendRun(back, offset, 100, 950, to)).toBe(10);
    expect(io.counters.gsoRefused).toBe(1);
    let received = 0;
    while (io.receive(100_000) > 0) received += io.batch.count;
    expect(received).toBe(30);
    for (const handle of [refusing, peer]) sockets.close(handle);
  });

  test('several datagrams of one socket are no backlog, as many as a pass takes are', async () => {
    io.close();
    io = new NativePacketIo({ maxPerSocket: 4 });
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    const [socket, offset] = [io.attach(handle, 1), io.reserve(10)];
    const to = parseSocketAddress('127.0.0.1', handle.port);
    const found = [2, 4, 20].map((count) => {
      for (let i = 0; i < count; i++) io.send(socket, offset, 10, to);
      const before = io.counters.backlogs;
      for (let received = 0; received < count;) received += io.receive(1_000_000);
      return io.counters.backlogs - before;
    });
    // A socket that has just become busy gives one first: 1 and 1; 1 and 3; then 4 at a time.
    expect(found).toEqual([0, 0, 5]);
    sockets.close(handle);
  });

  test('attaching a descriptor that is closed is a NetError and leaves no trace', async () => {
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    sockets.close(handle);
    expect(() => io.attach(handle, 1)).toThrow(expect.objectContaining({ name: 'NetError', code: 'system' }));
    const other = await sockets.open({ address: '127.0.0.1', port: 0 });
    expect(io.attach(other, 1)).toBe(0);
    sockets.close(other);
  });

  test('close is idempotent, and what follows throws', async () => {
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    const socket = io.attach(handle, 1);
    io.close();
    io.close();
    io.detach(socket);
    expect(() => io.receive(0)).toThrow(RangeError);
    expect(() => io.send(socket, 0, 1, parseSocketAddress('127.0.0.1', 9))).toThrow(RangeError);
    sockets.close(handle);
  });
});

describe('the doorbell', () => {
  test('is told once by the receive that follows any number of rings', () => {
    const doorbell = createDoorbell('native');
    io.close();
    io = new NativePacketIo({ doorbell });
    ring(doorbell);
    ring(doorbell);
    expect([io.receive(1_000_000), io.doorbellRung]).toEqual([0, true]);
    expect([io.receive(0), io.doorbellRung]).toEqual([0, false]);
    closeDoorbell(doorbell);
  });

  test('wakes a thread that blocks', async () => {
    const doorbell = createDoorbell('native');
    const program = `
      (async () => {
        const { NativePacketIo } = await import(${JSON.stringify(new URL('./native-packet-io.ts', import.meta.url).href)});
        const { parentPort, workerData } = require('node:worker_threads');
        const io = new NativePacketIo({ doorbell: workerData });
        parentPort.postMessage('waiting');
        io.receive(60_000_000);
        parentPort.postMessage(io.doorbellRung);
        io.close();
      })();`;
    const worker = new Worker(program, { eval: true, workerData: doorbell });
    expect(await once(worker, 'message')).toEqual(['waiting']);
    const answer = once(worker, 'message');
    ring(doorbell);
    expect(await answer).toEqual([true]);
    await worker.terminate();
    closeDoorbell(doorbell);
  });

  test('is not needed by dgram', () => {
    const doorbell = createDoorbell('dgram');
    ring(doorbell);
    closeDoorbell(doorbell);
    expect(doorbell).toEqual({ fd: -1 });
  });
});

test('the default implementation', () => {
  expect(defaultImplementation({}, 'linux', 'x64')).toBe('native');
  expect(defaultImplementation({ MEDIAPLANE_NET: 'native' }, 'linux', 'arm64')).toBe('native');
  expect(defaultImplementation({ MEDIAPLANE_NET: 'dgram' }, 'linux', 'x64')).toBe('dgram');
  expect(defaultImplementation({}, 'linux', 'riscv64')).toBe('dgram');
  expect(defaultImplementation({ MEDIAPLANE_NET: 'native' }, 'darwin', 'arm64')).toBe('dgram');
});
