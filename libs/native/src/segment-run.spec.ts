import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { Errno } from './errno.ts';
import { libc } from './libc.ts';
import { DatagramReceiver } from './receive.ts';
import { MAX_SEGMENTS, MAX_SEND_BYTES, SegmentRun } from './segment-run.ts';
import { AF_INET } from './sockaddr.ts';
import { SO_RCVBUF, bindSocket, boundAddress, closeDescriptor, openUdpSocket, setSocketOption } from './socket.ts';

const LOOPBACK = 0x7f000001;
const ARENA_BYTES = 200_000;
const SLOTS = { offset: 0, strideBytes: 1536, payloadBytes: 1500, count: 70 };

describe('SegmentRun', () => {
  let fd: number;
  let port: number;
  let arena: Arena;
  let receiver: DatagramReceiver;
  let run: SegmentRun;
  let at: number;

  beforeEach(() => {
    fd = openUdpSocket(AF_INET);
    bindSocket(fd, AF_INET, 0, 0, 0xffff, LOOPBACK, 0);
    setSocketOption(fd, SO_RCVBUF, 1 << 20);
    const bound = new Int32Array(5);
    boundAddress(fd, bound, 0);
    port = bound[4];
    arena = new Arena(ARENA_BYTES);
    at = SLOTS.count * SLOTS.strideBytes;
    receiver = new DatagramReceiver(arena, SLOTS);
    run = new SegmentRun(arena);
    run.start(AF_INET, 0, 0, 0xffff, LOOPBACK, port);
  });

  afterEach(() => {
    closeDescriptor(fd);
    run.close();
    receiver.close();
    arena.close();
  });

  const takes = (length: number, toPort = port): boolean => run.takes(length, 0, 0, 0xffff, LOOPBACK, toPort);

  function receive(): number[][] {
    const count = receiver.receiveMany(fd, 0, SLOTS.count);
    return Array.from({ length: Math.max(count, 0) }, (_, slot) => {
      const offset = receiver.payloadOffset(slot);
      return [...arena.bytes.subarray(offset, offset + receiver.length(slot))];
    });
  }

  test('carries datagrams that lie apart, back to back and the wrong way round, in one call', () => {
    const offsets = [at, at + 3000, at + 3100, at + 3200, at + 1000];
    offsets.forEach((offset, i) => {
      const length = i === 4 ? 40 : 100;
      arena.bytes.fill(i + 1, offset, offset + length);
      expect(takes(length)).toBe(true);
      run.add(offset, length);
    });
    expect([run.count, run.byteLength]).toEqual([5, 440]);
    expect(offsets.map((_, i) => [run.offset(i), run.length(i)])).toEqual(
      offsets.map((offset, i) => [offset, i === 4 ? 40 : 100]),
    );
    expect(run.send(fd)).toBe(440);
    expect(receive()).toEqual(offsets.map((_, i) => Array(i === 4 ? 40 : 100).fill(i + 1)));
    run.start(AF_INET, 0, 0, 0xffff, LOOPBACK, port);
    for (let i = 0; i < 2; i++) run.add(at, 10);
    expect([run.send(fd), receive()]).toEqual([20, [Array(10).fill(1), Array(10).fill(1)]]);
  });

  test('takes what one call can carry: one destination, one length, only the last shorter', () => {
    expect([takes(0), takes(1400)]).toEqual([true, true]);
    run.add(at, 1000);
    expect([takes(1000), takes(1), takes(0), takes(1001), takes(1000, port ^ 1)]).toEqual([
      ...[true, true],
      ...[false, false, false],
    ]);
    run.add(at, 999);
    expect([takes(999), takes(1)]).toEqual([false, false]);
    expect(() => run.add(at, 999)).toThrow(RangeError);
    run.clear();
    while (takes(1332)) run.add(at, 1332);
    expect(run.count).toBe(Math.floor(MAX_SEND_BYTES / 1332));
    expect([takes(MAX_SEND_BYTES - run.byteLength), takes(MAX_SEND_BYTES - run.byteLength + 1)]).toEqual([true, false]);
    expect(run.send(fd)).toBe(run.count * 1332);
    run.clear();
    while (takes(100)) run.add(at, 100);
    expect([run.count, run.send(fd)]).toEqual([MAX_SEGMENTS, MAX_SEGMENTS * 100]);
  });

  test('an interrupted call is made again, any other failure is told, and the datagrams stay', () => {
    for (let i = 0; i < 3; i++) run.add(at + i * 200, 100);
    const c = libc();
    const { sendmsg, errno } = c;
    let failures = [Errno.EINTR, Errno.EIO] as number[];
    let failed = 0;
    c.sendmsg = (...call) => {
      failed = failures.shift() ?? 0;
      return failed === 0 ? sendmsg(...call) : -1;
    };
    c.errno = () => failed;
    try {
      expect(run.send(fd)).toBe(-Errno.EIO);
      failures = [Errno.EINTR];
      expect(run.send(fd)).toBe(300);
    } finally {
      Object.assign(c, { sendmsg, errno });
    }
    expect(receive()).toHaveLength(3);
  });

  test('no numbers crash: what is outside the arena throws', () => {
    const wild = [NaN, Infinity, -1, 0.5, 2 ** 31, 2 ** 40, ARENA_BYTES + 1];
    for (const number of wild) {
      expect(() => run.add(number, 1)).toThrow(RangeError);
      expect(() => run.add(0, number)).toThrow(RangeError);
    }
    for (const number of [NaN, -1, 0.5]) expect(() => run.send(number)).toThrow(RangeError);
    expect(run.count).toBe(0);
    const number = fc.oneof(fc.constantFrom(...wild), fc.integer({ min: -2, max: ARENA_BYTES }));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 80 }), (datagrams) => {
        run.clear();
        for (const [offset, length] of datagrams) {
          try {
            run.add(offset, length);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
        if (run.count > 0) expect(Number.isInteger(run.send(fd))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('is refused once it, or its arena, is closed', () => {
    for (let i = 0; i < 2; i++) run.add(at, 10);
    arena.close();
    expect(() => run.send(fd)).toThrow(RangeError);
    expect(() => run.add(at, 10)).toThrow(RangeError);
    run.close();
    run.close();
    expect(() => run.send(fd)).toThrow(RangeError);
  });
});
