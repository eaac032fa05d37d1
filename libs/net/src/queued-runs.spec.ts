import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Arena, DatagramReceiver, Errno, setSocketOption } from '@mediaplane/native';
import { parseSocketAddress } from './address-text.ts';
import { createPacketIo, createUdpSockets } from './implementation.ts';
import type { PacketIo, UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { SOURCE_WORDS } from './socket-address.ts';
import type { SocketAddress } from './socket-address.ts';
import { LARGE_BUFFERS, cases } from './spec-variants.ts';

/** What is queued on sockets opened with `segmentRuns`, over both implementations and both IP versions. */

const DEADLINE_MS = 5000;
/** The kernel hands a run over as it was sent, not cut: so a test sees what left together (udp(7)). */
const UDP_GRO = { level: 17, name: 104 };
/** Without checksums on outgoing datagrams Linux refuses UDP_SEGMENT with EINVAL: a route that cannot segment. */
const SO_NO_CHECK = { level: 1, name: 11 };
const UDP_NO_CHECK6_TX = { level: 17, name: 101 };
const UDP_NO_CHECK6_RX = { level: 17, name: 102 };

describe.each(cases)('$name on $ip', ({ implementation, batchCalls, ip }) => {
  let sockets: UdpSockets;
  let io: PacketIo;
  let handles: UdpSocketHandle[];
  /** Where the next datagram to be queued is laid. */
  let at: number;

  beforeEach(() => {
    sockets = createUdpSockets(implementation);
    handles = [];
    io = createPacketIo({ implementation, batchCalls });
    at = io.reserve(1_000_000);
  });

  afterEach(() => {
    io.close();
    for (const handle of handles) sockets.close(handle);
  });

  async function open(options: Partial<UdpSocketOptions> = {}): Promise<[UdpSocketHandle, SocketAddress]> {
    const handle = await sockets.open({ address: ip, port: 0, ...LARGE_BUFFERS, ...options });
    handles.push(handle);
    return [handle, parseSocketAddress(handle.address, handle.port)];
  }

  async function attach(tag: number, options?: Partial<UdpSocketOptions>): Promise<[number, SocketAddress]> {
    const [handle, address] = await open(options);
    return [await io.attach(handle, tag), address];
  }

  /** A datagram that tells its number, not beside the one before it, as if it lay in the next receive slot. */
  function queue(socket: number, to: SocketAddress, length: number, number: number): void {
    io.bytes.fill(number, at, at + length);
    io.queue(socket, at, length, to);
    at += length + 8;
  }

  /** What arrives until there are `count`, and at once after: `tag:source port:length x number`. */
  async function receive(count: number): Promise<string[]> {
    const deadline = Date.now() + DEADLINE_MS;
    const received: string[] = [];
    for (let left = 2; left > 0 && Date.now() < deadline; left -= received.length >= count ? 1 : 0) {
      if (!io.capabilities.blocking) await new Promise((resolve) => setTimeout(resolve, 1));
      io.receive(10_000);
      const { offset, length, tag, source } = io.batch;
      for (let i = 0; i < io.batch.count; i++) {
        const bytes = io.bytes.subarray(offset[i], offset[i] + length[i]);
        expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
        received.push(`${tag[i]}:${source[i * SOURCE_WORDS + 4]}:${length[i]}x${bytes[0] ?? '-'}`);
      }
    }
    return received;
  }

  const ofTag = (received: string[], tag: number): string[] => received.filter((line) => line.startsWith(`${tag}:`));

  test('arrive whole and in order: two sockets in turn, mixed lengths, other destinations between', async () => {
    const [a, fromA] = await attach(0, { segmentRuns: true });
    const [b, fromB] = await attach(0, { segmentRuns: true });
    const [plain, fromPlain] = await attach(0);
    const [, first] = await attach(1);
    const [, second] = await attach(2);
    const lengths = [1332, 1332, 1332, 500, 1332, 38, 1332, 1332, 0, 0, 1332, 1, 2, 2];
    const expected: string[] = [];
    for (let i = 0; i < 100; i++) {
      const length = lengths[i % lengths.length];
      const byte = length === 0 ? '-' : i;
      const to = i % 17 === 0 ? second : first;
      queue(a, first, length, i);
      queue(b, to, length, i);
      expected.push(`1:${fromA.port}:${length}x${byte}`, `${to === first ? 1 : 2}:${fromB.port}:${length}x${byte}`);
      if (i % 10 === 0) {
        queue(plain, second, 10, i);
        expected.push(`2:${fromPlain.port}:10x${i}`);
      }
      if (i % 30 === 29) io.flush();
    }
    const received = await receive(expected.length);
    expect([...received].sort()).toEqual([...expected].sort());
    for (const tag of [1, 2]) {
      for (const { port } of [fromA, fromB, fromPlain]) {
        const ofSocket = (lines: string[]): string[] => ofTag(lines, tag).filter((line) => line.includes(`:${port}:`));
        expect(ofSocket(received)).toEqual(ofSocket(expected));
      }
    }
    expect(io.counters).toMatchObject({ sent: expected.length, gsoRefused: 0, sendFailed: 0 });
  });

  // One alone between runs, and before them; few sockets and more.
  test.each([[[1]], [[3]], [[1, 1]], [[1, 3]], [[1, 3, 1]], [[1, 3, 1, 2]], [[2, 1, 1, 3, 1, 2]]])(
    'leave socket by socket, in the order in which they were given their first: %j',
    async (counts) => {
      const attached = await Promise.all(counts.map(() => attach(0, { segmentRuns: true })));
      const [, peer] = await attach(1);
      const expected: string[] = [];
      for (const [index, count] of counts.entries()) {
        const [socket, { port }] = attached[index];
        for (let i = 0; i < count; i++) {
          queue(socket, peer, 100, index * 10 + i);
          expected.push(`1:${port}:100x${index * 10 + i}`);
        }
      }
      io.flush();
      expect(await receive(expected.length)).toEqual(expected);
    },
  );

  test('what is queued leaves before the socket is detached, and nothing of it later', async () => {
    const [socket, { port }] = await attach(0, { segmentRuns: true });
    const [, peer] = await attach(1);
    for (let i = 0; i < 3; i++) queue(socket, peer, 100, i);
    io.detach(socket);
    const [again] = await attach(0, { segmentRuns: true });
    queue(again, peer, 5, 9);
    expect((await receive(4)).slice(0, 3)).toEqual([0, 1, 2].map((i) => `1:${port}:100x${i}`));
    expect(io.counters).toMatchObject({ sent: 4, sentBytes: 305 });
  });

  test('what cannot be sent is counted for its socket, and wrong arguments throw', async () => {
    const [socket, own] = await attach(0, { segmentRuns: true });
    queue(socket, parseSocketAddress(ip, 0), 100, 4);
    for (let i = 0; i < 2; i++) queue(socket, own, 100, i);
    io.flush();
    expect(await receive(2)).toHaveLength(2);
    expect(io.counters).toMatchObject({ sent: 2, sentBytes: 200, sendFailed: 1, gsoRefused: 0 });
    expect(io.failedSends(socket)).toBe(1);
    for (const wild of [NaN, Infinity, -1, 0.5, 2 ** 31, io.bytes.length + 1]) {
      expect(() => io.queue(socket, wild, 1, own)).toThrow(RangeError);
      expect(() => io.queue(socket, at, wild, own)).toThrow(RangeError);
      expect(() => io.queue(wild, at, 1, own)).toThrow(RangeError);
    }
    io.flush();
    expect(io.counters.sent).toBe(2);
  });

  if (implementation === 'native') describe('in as few calls as can be', nativeSuite);

  function nativeSuite(): void {
    let arena: Arena;
    let receiver: DatagramReceiver;

    beforeEach(() => {
      arena = new Arena(70_000);
      receiver = new DatagramReceiver(arena, { offset: 0, strideBytes: 65_536, payloadBytes: 65_536, count: 1 });
    });

    afterEach(() => {
      receiver.close();
      arena.close();
    });

    /** The lengths of what came in one piece each, each as the numbers of its datagrams. */
    function pieces(fd: number, datagramBytes: number): number[][] {
      const found: number[][] = [];
      for (let length = receiver.receiveOne(fd, 0); length !== -Errno.EAGAIN; length = receiver.receiveOne(fd, 0)) {
        const count = Math.ceil(length / datagramBytes);
        found.push(Array.from({ length: count }, (_, i) => arena.bytes[i * datagramBytes]));
      }
      return found;
    }

    async function openMerging(): Promise<[number, SocketAddress]> {
      const [{ fd }, address] = await open();
      expect(setSocketOption(fd, UDP_GRO, 1)).toBe(true);
      return [fd, address];
    }

    const numbers = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

    test('one for each socket, however they take turns, and the last of a run may be shorter', async () => {
      const links = await Promise.all([0, 1, 2].map(() => attach(0, { segmentRuns: true })));
      const peers = await Promise.all([0, 1, 2].map(() => openMerging()));
      for (let i = 0; i < 10; i++) links.forEach(([link], k) => queue(link, peers[k][1], i === 9 ? 40 : 1332, i));
      expect(peers.map(([fd]) => pieces(fd, 1332))).toEqual([[], [], []]);
      io.flush();
      expect(peers.map(([fd]) => pieces(fd, 1332))).toEqual(Array(3).fill([numbers(0, 10)]));
    });

    test('a length that grows, another destination and an empty datagram begin a new run', async () => {
      const [link] = await attach(0, { segmentRuns: true });
      const [fd, peer] = await openMerging();
      const [otherFd, other] = await openMerging();
      [100, 100, 50, 100, 100, 101, 100].forEach((length, i) => queue(link, peer, length, i));
      io.flush();
      expect(pieces(fd, 100).map((piece) => piece[0])).toEqual([0, 3, 5]);
      [peer, peer, other, peer].forEach((to, i) => queue(link, to, 100, i));
      io.flush();
      expect([pieces(fd, 100), pieces(otherFd, 100)]).toEqual([[[0, 1], [3]], [[2]]]);
    });

    test('64 datagrams or 65,507 bytes a call, and 256 datagrams before the first of them leaves', async () => {
      const [link] = await attach(0, { segmentRuns: true });
      const [fd, peer] = await openMerging();
      for (let i = 0; i < 150; i++) queue(link, peer, 100, i);
      expect(pieces(fd, 100)).toEqual([numbers(0, 64), numbers(64, 128)]);
      io.flush();
      expect(pieces(fd, 100)).toEqual([numbers(128, 150)]);
      for (let i = 0; i < 100; i++) queue(link, peer, 1332, i);
      io.flush();
      expect(pieces(fd, 1332)).toEqual([numbers(0, 49), numbers(49, 98), numbers(98, 100)]);
      const links = await Promise.all(Array.from({ length: 16 }, () => attach(0, { segmentRuns: true })));
      for (let i = 0; i < 256; i++) queue(links[i % 16][0], peer, 10, i >> 4);
      expect(pieces(fd, 10)).toEqual(Array(16).fill(numbers(0, 16)));
    });

    test('where segments are refused each leaves once and in order, and none is tried again', async () => {
      const [handle, { port }] = await open({ segmentRuns: true });
      const refusing = await io.attach(handle, 0);
      const [good] = await attach(0, { segmentRuns: true });
      const [peerHandle, peer] = await open();
      await io.attach(peerHandle, 1);
      const [fd, merging] = await openMerging();
      setSocketOption(handle.fd, ip === '::1' ? UDP_NO_CHECK6_TX : SO_NO_CHECK, 1);
      if (ip === '::1') setSocketOption(peerHandle.fd, UDP_NO_CHECK6_RX, 1);
      let number = 0;
      for (; number < 70; number++) queue(refusing, peer, 100, number);
      for (let i = 0; i < 3; i++) queue(good, merging, 100, i);
      for (; number < 75; number++) queue(refusing, peer, number % 2 === 0 ? 100 : 30, number);
      io.flush();
      for (; number < 80; number++) queue(refusing, peer, 100, number);
      const expected = numbers(0, 80).map((i) => `1:${port}:${i >= 70 && i < 75 && i % 2 === 1 ? 30 : 100}x${i}`);
      expect(await receive(80)).toEqual(expected);
      expect(pieces(fd, 100)).toEqual([[0, 1, 2]]);
      expect(io.counters).toMatchObject({ gsoRefused: 1, sent: 83, sendFailed: 0, sendTooBig: 0 });
      expect(io.failedSends(refusing)).toBe(0);
    });

    test('what is refused singly too is not blamed on segments: the address of a link may be gone for a while', async () => {
      const [link] = await attach(0, { address: '127.0.0.1', segmentRuns: true });
      const [fd, peer] = await openMerging();
      // EINVAL: Linux sends from loopback to nowhere else. (ENETUNREACH where there is no route at all.)
      const elsewhere = parseSocketAddress('192.0.2.1', 9);
      for (let i = 0; i < 3; i++) queue(link, elsewhere, 100, i);
      io.flush();
      expect(io.counters).toMatchObject({ sent: 0, sendFailed: 3, gsoRefused: 0 });
      expect(io.failedSends(link)).toBe(3);
      if (ip === '::1') return;
      for (let i = 0; i < 3; i++) queue(link, peer, 100, i);
      io.flush();
      expect(pieces(fd, 100)).toEqual([[0, 1, 2]]);
    });
  }
});
