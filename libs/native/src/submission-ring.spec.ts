import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Arena } from './arena.ts';
import { Errno } from './errno.ts';
import { SystemCallError } from './errors.ts';
import { libc } from './libc.ts';
import { DatagramReceiver } from './receive.ts';
import { SegmentRun } from './segment-run.ts';
import { DatagramSender } from './send.ts';
import { AF_INET, AF_INET6 } from './sockaddr.ts';
import { bindSocket, boundAddress, closeDescriptor, openUdpSocket } from './socket.ts';
import { SubmissionRing } from './submission-ring.ts';

const LOOPBACK = 0x7f000001;
const V4_MAPPED = 0xffff;
const CAPACITY = 8;

function refusal(): unknown {
  try {
    new SubmissionRing(1).close();
    return null;
  } catch (error) {
    return error;
  }
}

const refused = refusal();
if (refused)
  test('where the system forbids io_uring, it says so', () => expect(refused).toBeInstanceOf(SystemCallError));
else describe('SubmissionRing', suite);

function suite(): void {
  let ring: SubmissionRing;
  let arena: Arena;
  let receiver: DatagramReceiver;
  let sender: DatagramSender;
  let fds: number[];

  beforeEach(() => {
    ring = new SubmissionRing(CAPACITY);
    arena = new Arena(1 << 16);
    receiver = new DatagramReceiver(arena, {
      offset: arena.reserve(8192),
      strideBytes: 1024,
      payloadBytes: 1000,
      count: 8,
    });
    sender = new DatagramSender(arena, CAPACITY);
    fds = [];
  });
  afterEach(() => {
    ring.close();
    receiver.close();
    sender.close();
    arena.close();
    for (const fd of fds) closeDescriptor(fd);
  });

  function open(): { fd: number; port: number } {
    const fd = openUdpSocket(AF_INET);
    fds.push(fd);
    bindSocket(fd, AF_INET, 0, 0, V4_MAPPED, LOOPBACK, 0);
    const words = new Int32Array(5);
    boundAddress(fd, words, 0);
    return { fd, port: words[4] };
  }

  const send = (fd: number, offset: number, length: number, port: number, place: number): void => {
    sender.setDestination(place, AF_INET, 0, 0, V4_MAPPED, LOOPBACK, port);
    sender.queue(ring, fd, offset, length, place);
  };

  test('one call carries sends from many sockets, and another receives on many', () => {
    const from = [open(), open(), open()];
    const to = [open(), open(), open()];
    const at = arena.reserve(300);
    from.forEach(({ fd }, i) => {
      arena.bytes.fill(i + 1, at + i * 100, at + i * 100 + 10 + i);
      send(fd, at + i * 100, 10 + i, to[i].port, i);
    });
    expect(ring.queued).toBe(3);
    expect(ring.submit()).toBe(0);
    expect(ring.queued).toBe(0);
    to.forEach(({ fd }, slot) => receiver.queue(ring, fd, slot));
    expect(ring.submit()).toBe(3);
    const words = new Int32Array(5);
    for (let i = 0; i < 3; i++) {
      const slot = ring.token(i);
      expect(ring.result(i)).toBe(10 + slot);
      const offset = receiver.payloadOffset(slot);
      expect([...arena.bytes.subarray(offset, offset + 10 + slot)]).toEqual(Array(10 + slot).fill(slot + 1));
      receiver.source(slot, words, 0);
      expect([...words]).toEqual([0, 0, V4_MAPPED, LOOPBACK, from[slot].port]);
    }
  });

  test('a run of segments is one request among others', () => {
    const a = open();
    const at = arena.reserve(1000);
    const runs = [a.port, 0].map((port) => {
      const run = new SegmentRun(arena);
      run.start(AF_INET, 0, 0, V4_MAPPED, LOOPBACK, port);
      for (let i = 0; i < 3; i++) run.add(at + i * 200, 100);
      return run;
    });
    send(a.fd, at, 10, a.port, 0);
    runs.forEach((run, i) => run.queue(ring, a.fd, 1 + i));
    send(a.fd, at, 20, a.port, 3);
    expect([ring.submit(), ring.token(0), ring.result(0)]).toEqual([1, 2, -Errno.EINVAL]);
    expect(receiver.receiveMany(a.fd, 0, 8)).toBe(5);
    expect([0, 1, 2, 3, 4].map((slot) => receiver.length(slot))).toEqual([10, 100, 100, 100, 20]);
    for (const run of runs) run.close();
  });

  test('what fails says why, and keeps nothing behind it', () => {
    const a = open();
    const at = arena.reserve(7000);
    send(a.fd, at, 10, a.port, 0);
    sender.setDestination(1, AF_INET6, 0, 0, 0, 1, 9);
    sender.queue(ring, a.fd, at, 10, 1);
    send(1_000_000, at, 10, a.port, 2);
    send(a.fd, at, 20, a.port, 3);
    const failures = ring.submit();
    const found = Array.from({ length: failures }, (_, i) => [ring.token(i), ring.result(i)]);
    expect(found).toEqual([
      [1, -Errno.EAFNOSUPPORT],
      [2, -Errno.EBADF],
    ]);
    for (const length of [10, 20, -Errno.EAGAIN]) {
      receiver.queue(ring, a.fd, 0);
      expect([ring.submit(), ring.result(0)]).toEqual([1, length]);
    }
  });

  test('a datagram that is longer than its slot is reported with its whole length', () => {
    const a = open();
    send(a.fd, arena.reserve(1500), 1500, a.port, 0);
    expect(ring.submit()).toBe(0);
    receiver.queue(ring, a.fd, 0);
    expect([ring.submit(), ring.result(0)]).toEqual([1, 1500]);
  });

  test('a kernel that takes a part gets the next, and what it refuses for good is dropped, not kept for later', () => {
    const a = open();
    const at = arena.reserve(100);
    const c = libc();
    const { syscall } = c;
    let take: number[] = [];
    c.syscall = (number, fd, count, ...rest) => {
      const limit = take.shift();
      if (limit === 0) return 0;
      return syscall(number, fd, limit === undefined ? count : Math.min(limit, count), ...rest);
    };
    try {
      take = [1, 2];
      for (let i = 0; i < 5; i++) send(a.fd, at, i + 1, a.port, i);
      expect([ring.submit(), ring.refused]).toEqual([0, 0]);
      take = [2, 0];
      for (let i = 0; i < 5; i++) send(a.fd, at, i + 11, a.port, i);
      expect([ring.submit(), ring.refused, ring.refusal]).toEqual([0, 3, Errno.EAGAIN]);
      send(a.fd, at, 21, a.port, 0);
      expect([ring.submit(), ring.refused]).toEqual([0, 0]);
    } finally {
      c.syscall = syscall;
    }
    const lengths: number[] = [];
    for (;;) {
      receiver.queue(ring, a.fd, 0);
      ring.submit();
      if (ring.result(0) < 0) break;
      lengths.push(ring.result(0));
    }
    expect(lengths).toEqual([1, 2, 3, 4, 5, 11, 12, 21]);
  });

  test('goes round many times', () => {
    const a = open();
    const at = arena.reserve(8);
    for (let round = 0; round < 5000; round++) {
      arena.view.setUint32(at, round);
      send(a.fd, at, 4, a.port, round % CAPACITY);
      expect(ring.submit()).toBe(0);
      receiver.queue(ring, a.fd, round % 8);
      expect([ring.submit(), ring.token(0), ring.result(0)]).toEqual([1, round % 8, 4]);
      expect(arena.view.getUint32(receiver.payloadOffset(round % 8))).toBe(round);
    }
  });

  test('more than it holds, places and bytes that are not there, and a closed one are RangeErrors', () => {
    const a = open();
    const at = arena.reserve(8);
    for (const place of [-1, CAPACITY, 0.5, NaN]) expect(() => send(a.fd, at, 4, a.port, place)).toThrow(RangeError);
    for (const place of [-1, CAPACITY, 0.5, NaN])
      expect(() => sender.queue(ring, a.fd, at, 4, place)).toThrow(RangeError);
    expect(() => send(a.fd, arena.byteLength - 3, 4, a.port, 0)).toThrow(RangeError);
    expect(() => send(-1, at, 4, a.port, 0)).toThrow(RangeError);
    expect(() => receiver.queue(ring, a.fd, 8)).toThrow(RangeError);
    expect(ring.queued).toBe(0);
    for (let place = 0; place < ring.capacity; place++) send(a.fd, at, 4, a.port, place);
    expect(() => send(a.fd, at, 4, a.port, 0)).toThrow(RangeError);
    ring.close();
    ring.close();
    expect(() => ring.submit()).toThrow(RangeError);
    expect(() => receiver.queue(ring, a.fd, 0)).toThrow(RangeError);
    expect(ring.token(0)).toBeUndefined();
  });
}
