import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IPV6_TCLASS, IP_TOS, SO_RCVBUF, SO_SNDBUF, socketOption } from '@mediaplane/native';
import { formatIp, parseSocketAddress } from './address-text.ts';
import { createPacketIo, createUdpSockets } from './implementation.ts';
import { HEADROOM_BYTES, MAX_DATAGRAM_BYTES } from './packet-io.ts';
import type { PacketIo, PacketIoOptions, UdpSocketHandle, UdpSocketOptions, UdpSockets } from './packet-io.ts';
import { SOURCE_WORDS, SocketAddress, plainAddress } from './socket-address.ts';
import { LARGE_BUFFERS, cases } from './spec-variants.ts';

/** One suite over both implementations and both IP versions; what an implementation does not claim is tested to be absent. */

const DEADLINE_MS = 5000;
const WILD = [NaN, Infinity, -1, 0.5, 2 ** 31, 2 ** 53];

interface Received {
  readonly tag: number;
  readonly payload: number[];
  readonly from: string;
}

describe.each(cases)('$name on $ip', ({ implementation, batchCalls, ip }) => {
  let sockets: UdpSockets;
  let io: PacketIo;
  let handles: UdpSocketHandle[];
  /** Where the tests lay what they send. */
  let scratch: number;

  beforeEach(() => {
    sockets = createUdpSockets(implementation);
    handles = [];
    use({});
  });

  afterEach(() => {
    io.close();
    for (const handle of handles) sockets.close(handle);
  });

  function use(options: PacketIoOptions): void {
    io = createPacketIo({ implementation, batchCalls, ...options });
    scratch = io.reserve(70_000);
  }

  async function open(options: Partial<UdpSocketOptions> = {}): Promise<UdpSocketHandle> {
    const handle = await sockets.open({ address: ip, port: 0, ...options });
    handles.push(handle);
    return handle;
  }

  async function attach(tag: number, options: Partial<UdpSocketOptions> = {}): Promise<[number, SocketAddress]> {
    const handle = await open(options);
    return [await io.attach(handle, tag), parseSocketAddress(handle.address, handle.port)];
  }

  /** One receive, after a turn of the event loop where the implementation needs one. */
  async function receive(): Promise<Received[]> {
    if (!io.capabilities.blocking) await new Promise((resolve) => setTimeout(resolve, 1));
    io.receive(10_000);
    return Array.from({ length: io.batch.count }, (_, index) => {
      const { offset, length, tag, source } = io.batch;
      const [w0, w1, w2, w3, port] = source.subarray(index * SOURCE_WORDS);
      return {
        tag: tag[index],
        payload: [...io.bytes.subarray(offset[index], offset[index] + length[index])],
        from: `${formatIp(new SocketAddress().set(w0, w1, w2, w3, port))} ${port}`,
      };
    });
  }

  async function receiveUntil(done: (received: Received[]) => boolean): Promise<Received[]> {
    const deadline = Date.now() + DEADLINE_MS;
    const received: Received[] = [];
    while (!done(received) && Date.now() < deadline) received.push(...(await receive()));
    return received;
  }

  const receiveCount = (count: number): Promise<Received[]> => receiveUntil((received) => received.length >= count);

  test('hands over payload, tag and source, and keeps headroom free', async () => {
    const [a, addressA] = await attach(7);
    const [b, addressB] = await attach(2 ** 30 - 1);
    io.bytes.set([1, 2, 3, 4], scratch);
    expect(io.send(a, scratch, 4, addressB)).toBe(true);
    expect(await receiveCount(1)).toEqual([
      { tag: 2 ** 30 - 1, payload: [1, 2, 3, 4], from: `${ip} ${addressA.port}` },
    ]);
    expect(io.batch.offset[0]).toBeGreaterThanOrEqual(HEADROOM_BYTES);
    expect(io.send(b, scratch, 0, addressA)).toBe(true);
    expect(await receiveCount(1)).toEqual([{ tag: 7, payload: [], from: `${ip} ${addressB.port}` }]);
    expect(io.counters).toMatchObject({ received: 2, receivedBytes: 4, sent: 2, sentBytes: 4, receiveFailed: 0 });
  });

  test('what is queued leaves at flush at the latest, in order, and before the next receive', async () => {
    const peers = await Promise.all([attach(1), attach(2), attach(3), attach(4)]);
    const [[socket, own]] = peers;
    const rounds = 3;
    for (let i = 0; i < rounds * peers.length; i++) {
      io.bytes[scratch + i] = i;
      io.queue(socket, scratch + i, 1, peers[i % peers.length][1]);
    }
    io.flush();
    const received = await receiveCount(rounds * peers.length);
    for (const tag of [1, 2, 3, 4]) {
      const payloads = received.filter((datagram) => datagram.tag === tag).map(({ payload: [first] }) => first);
      expect(payloads).toEqual([tag - 1, tag + 3, tag + 7]);
    }
    expect(new Set(received.map(({ from }) => from))).toEqual(new Set([`${ip} ${own.port}`]));
    io.queue(socket, scratch, 3, own);
    expect(await receiveCount(1)).toMatchObject([{ tag: 1, payload: [0, 1, 2] }]);
    io.flush();
    expect(io.counters).toMatchObject({ sent: 13, sentBytes: 15, received: 13, receivedBytes: 15 });
  });

  test('more than a ring holds can be queued', async () => {
    use({ batchSize: 4 });
    const [socket, own] = await attach(1, LARGE_BUFFERS);
    for (let i = 0; i < 50; i++) {
      io.bytes[scratch + i] = i;
      io.queue(socket, scratch + i, 1, own);
    }
    io.flush();
    const received = await receiveCount(50);
    expect(received.map(({ payload: [first] }) => first)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test('a queued send that is refused is counted, for its socket too, and those behind it leave', async () => {
    const [socket, own] = await attach(1, LARGE_BUFFERS);
    const [other] = await attach(2, { address: '127.0.0.1' });
    io.queue(other, scratch, 1, parseSocketAddress('::1', 9));
    io.queue(socket, scratch, 1, parseSocketAddress(ip, 0));
    io.queue(socket, scratch, 65_508 + 20, own);
    io.queue(socket, scratch, 5, own);
    io.flush();
    expect(await receiveCount(1)).toMatchObject([{ payload: [0, 0, 0, 0, 0] }]);
    expect(io.counters).toMatchObject({ sent: 1, sentBytes: 5, sendTooBig: 1, sendFailed: 2 });
    expect([io.failedSends(socket), io.failedSends(other)]).toEqual([2, 1]);
    for (const wild of [...WILD, io.bytes.length + 1]) {
      expect(() => io.queue(socket, wild, 1, own)).toThrow(RangeError);
      expect(() => io.queue(socket, scratch, wild, own)).toThrow(RangeError);
      expect(() => io.queue(wild, scratch, 1, own)).toThrow(RangeError);
    }
    io.flush();
    expect(io.counters.sent).toBe(1);
  });

  test('what is queued on a socket leaves from it before it is detached', async () => {
    const [socket, own] = await attach(1);
    const [, peer] = await attach(2);
    io.queue(socket, scratch, 7, peer);
    io.detach(socket);
    sockets.close(handles[0]);
    const [again] = await attach(3);
    expect(await receiveCount(1)).toMatchObject([{ tag: 2, from: `${ip} ${own.port}` }]);
    expect(io.failedSends(again)).toBe(0);
  });

  test('an IPv6 socket also talks IPv4, whose peers it shows v4-mapped', async () => {
    const [a, addressA] = await attach(1, { address: '127.0.0.1' });
    const [b, { port }] = await attach(2, { address: '::' });
    io.send(a, scratch, 3, parseSocketAddress('127.0.0.1', port));
    expect(await receiveCount(1)).toEqual([{ tag: 2, payload: [0, 0, 0], from: `127.0.0.1 ${addressA.port}` }]);
    io.send(b, scratch, 2, addressA);
    expect(await receiveCount(1)).toEqual([{ tag: 1, payload: [0, 0], from: `127.0.0.1 ${port}` }]);
  });

  test('an unreachable address family or port 0 is a counted refusal', async () => {
    const [socket] = await attach(1);
    expect(io.send(socket, scratch, 1, parseSocketAddress(ip, 0))).toBe(false);
    const [ipv4] = await attach(1, { address: '127.0.0.1' });
    expect(io.send(ipv4, scratch, 1, parseSocketAddress('::1', 9))).toBe(false);
    expect(io.sendRun(ipv4, scratch, 10, 25, parseSocketAddress('::1', 9))).toBe(0);
    expect(io.counters.sendFailed).toBe(5);
  });

  test('sends to a closed port and a refused send leave the loop running', async () => {
    const [socket, own] = await attach(1);
    const [closedSocket, closed] = await attach(2);
    io.detach(closedSocket);
    sockets.close(handles[1]);
    for (let index = 0; index < 20; index++) io.send(socket, scratch, 100, closed);
    io.send(socket, scratch, 65_508 + 20, own);
    io.send(socket, scratch, 5, own);
    const received = await receiveCount(1);
    expect(received.map(({ payload }) => payload.length)).toEqual([5]);
    expect(io.counters.sendTooBig).toBe(1);
  });

  test('drops and counts what is longer than a slot', async () => {
    const [socket, own] = await attach(1);
    for (const length of [MAX_DATAGRAM_BYTES + 1, 5000, MAX_DATAGRAM_BYTES, MAX_DATAGRAM_BYTES + 1]) {
      io.send(socket, scratch, length, own);
    }
    const received = await receiveUntil(() => io.counters.truncated === 3);
    expect(received.map(({ payload }) => payload.length)).toEqual([MAX_DATAGRAM_BYTES]);
  });

  test('wrong offsets, lengths, tags and sockets throw', async () => {
    const [socket, own] = await attach(1);
    const end = io.bytes.length;
    for (const wild of [...WILD, end + 1]) {
      expect(() => io.send(socket, wild, 1, own)).toThrow(RangeError);
      expect(() => io.send(socket, scratch, wild, own)).toThrow(RangeError);
      expect(() => io.sendRun(socket, wild, 10, 20, own)).toThrow(RangeError);
      expect(() => io.sendRun(socket, scratch, 10, wild === end + 1 ? end : wild, own)).toThrow(RangeError);
      expect(() => io.reserve(wild)).toThrow(RangeError);
      expect(() => io.send(wild, scratch, 1, own)).toThrow(RangeError);
    }
    for (const wild of [...WILD, 0]) expect(() => io.sendRun(socket, scratch, wild, 20, own)).toThrow(RangeError);
    expect(() => io.send(socket, end - 1, 2, own)).toThrow(RangeError);
    const handle = await open();
    for (const tag of [-1, 0.5, NaN, 2 ** 30]) {
      await expect((async () => io.attach(handle, tag))()).rejects.toThrow(RangeError);
    }
    io.detach(socket);
    io.detach(socket);
    expect(() => io.send(socket, scratch, 1, own)).toThrow('is not attached');
  });

  test('reserve gives 8-byte aligned room outside the receive slots, until the arena is full', () => {
    const first = io.reserve(3);
    expect(first % 8).toBe(0);
    expect(io.reserve(8)).toBe(first + 8);
    expect(() => io.reserve(io.bytes.length)).toThrow(RangeError);
    expect(() => createPacketIo({ implementation, arenaBytes: 4096, batchSize: 3 })).toThrow(RangeError);
  });

  test.each([
    [1200, 3],
    [172, 150],
    [1400, 49],
  ])(
    'a run of %d-byte datagrams arrives as what it was: %d of them, the last one shorter',
    async (segmentBytes, count) => {
      const [socket] = await attach(1, LARGE_BUFFERS);
      const [, peer] = await attach(2, LARGE_BUFFERS);
      const totalBytes = segmentBytes * (count - 1) + 50;
      for (let at = 0; at < totalBytes; at++) io.bytes[scratch + at] = Math.floor(at / segmentBytes);
      expect(io.sendRun(socket, scratch, segmentBytes, totalBytes, peer)).toBe(count);
      const received = await receiveCount(count);
      expect(received.map(({ payload }) => payload.length)).toEqual([...Array(count - 1).fill(segmentBytes), 50]);
      expect(received.every(({ payload }, index) => payload.every((byte) => byte === index))).toBe(true);
      expect(io.counters).toMatchObject({ sent: count, sentBytes: totalBytes, gsoRefused: 0 });
    },
  );

  test('a flooded socket gets its share of a pass, and the others lose nothing', async () => {
    io.close();
    use({ batchSize: 32, maxPerSocket: 8 });
    const [sender] = await attach(0, LARGE_BUFFERS);
    const [, flooded] = await attach(1, LARGE_BUFFERS);
    const others = [];
    for (let index = 0; index < 40; index++) others.push(await attach(100 + index));
    const received: Received[] = [];
    for (let round = 0; round < 10; round++) {
      for (let index = 0; index < 20; index++) io.send(sender, scratch, 100, flooded);
      if (round % 2 === 0) for (const [, address] of others) io.send(sender, scratch, 1, address);
      const pass = await receive();
      expect(pass.filter(({ tag }) => tag === 1).length).toBeLessThanOrEqual(8);
      received.push(...pass);
    }
    const lost = (): number => io.counters.overflowed;
    received.push(...(await receiveUntil((more) => received.length + more.length + lost() === 400)));
    for (let index = 0; index < 40; index++) expect(received.filter(({ tag }) => tag === 100 + index)).toHaveLength(5);
    expect(received.filter(({ tag }) => tag === 1)).toHaveLength(200 - lost());
    expect(io.counters.backlogs).toBeGreaterThan(0);
  });

  test('a thousand sockets each get their own datagram', async () => {
    const [sender] = await attach(0);
    const addresses = [];
    for (let tag = 1; tag <= 1000; tag++) addresses.push((await attach(tag))[1]);
    const received: Received[] = [];
    for (let first = 0; first < 1000; first += 100) {
      for (const address of addresses.slice(first, first + 100)) io.send(sender, scratch, 10, address);
      received.push(...(await receiveCount(100)));
    }
    expect(received.map(({ tag }) => tag).sort((a, b) => a - b)).toEqual(addresses.map((_, index) => index + 1));
  });

  test('a detached socket is heard no more, and its port can be bound again', async () => {
    const [sender] = await attach(1);
    const [socket, address] = await attach(2);
    io.detach(socket);
    sockets.close(handles[1]);
    sockets.close(handles[1]);
    io.send(sender, scratch, 1, address);
    const [, again] = await attach(3, { port: address.port });
    io.send(sender, scratch, 2, again);
    expect(await receiveCount(1)).toMatchObject([{ tag: 3, payload: [0, 0] }]);
  });

  test('DSCP is on the socket exactly if the capability says so', async () => {
    const option = ip === '::1' ? IPV6_TCLASS : IP_TOS;
    const handle = await open();
    const cs1 = await open({ dscp: 8 });
    if (sockets.capabilities.tos) {
      expect([handle.dscp, cs1.dscp]).toEqual([46, 8]);
      expect([socketOption(handle.fd, option), socketOption(cs1.fd, option)]).toEqual([46 << 2, 8 << 2]);
    } else {
      expect([handle.dscp, cs1.dscp]).toEqual([0, 0]);
    }
  });

  test('tells what buffers were granted, and counts what overflowed them exactly if the capability says so', async () => {
    const small = await open({ receiveBufferBytes: 4096 });
    const large = await open({ receiveBufferBytes: 65_536 });
    expect(small.receiveBufferBytes).toBeGreaterThanOrEqual(4096);
    expect(large.receiveBufferBytes).toBeGreaterThan(small.receiveBufferBytes);
    expect(large.sendBufferBytes).toBeGreaterThan(0);
    if (!sockets.capabilities.kernelDrops) {
      expect(sockets.kernelDrops(small)).toBe(-1);
      return;
    }
    const socket = await io.attach(small, 1);
    expect(sockets.kernelDrops(small)).toBe(0);
    for (let index = 0; index < 100; index++) io.send(socket, scratch, 500, parseSocketAddress(ip, small.port));
    const received = await receiveUntil((all) => all.length + sockets.kernelDrops(small) === 100);
    expect(received.length).toBeGreaterThan(0);
    expect(sockets.kernelDrops(small)).toBe(100 - received.length);
    expect(sockets.kernelDrops(small)).toBeGreaterThan(0);
  });

  test('a buffer beyond the limit of the system is granted whole, or cut to the limit, each time alike', async () => {
    const asked = { receiveBufferBytes: 64 << 20, sendBufferBytes: 64 << 20 };
    const [first, second] = [await open(asked), await open(asked)];
    expect(second).toMatchObject({
      receiveBufferBytes: first.receiveBufferBytes,
      sendBufferBytes: first.sendBufferBytes,
    });
    if (implementation === 'dgram') return;
    for (const { fd, receiveBufferBytes, sendBufferBytes } of [first, second]) {
      expect([socketOption(fd, SO_RCVBUF), socketOption(fd, SO_SNDBUF)]).toEqual([receiveBufferBytes, sendBufferBytes]);
    }
  });

  test('a socket can be bound to a device, where the implementation has means for it', async () => {
    const code = (device: string): Promise<unknown> =>
      sockets.open({ address: ip, port: 0, device }).then(
        (handle) => handles.push(handle) && 'opened',
        (error: { code: string }) => error.code,
      );
    for (const name of ['', 'a b', 'a/b', '..', '0123456789abcdef', 'é']) {
      expect(await code(name)).toBe('invalid-option');
    }
    if (implementation === 'dgram') {
      expect(await code('lo')).toBe('invalid-option');
      return;
    }
    // Kernels before 5.7 want CAP_NET_RAW for it, and say so first.
    expect(['no-such-device', 'permission-denied']).toContain(await code('no-such-modem'));
    expect(['opened', 'permission-denied']).toContain(await code('lo'));
    if (handles.length === 0) return;
    const [socket, own] = [await io.attach(handles[0], 1), parseSocketAddress(ip, handles[0].port)];
    expect(io.send(socket, scratch, 4, own)).toBe(true);
    expect(await receiveCount(1)).toMatchObject([{ tag: 1, from: `${ip} ${own.port}` }]);
  });

  describe('a socket with a peer', () => {
    test('sends to it at once, queued and in runs, and hears nobody else', async () => {
      const [peer, peerAddress] = await attach(1, LARGE_BUFFERS);
      const [stranger] = await attach(2);
      for (const segmentRuns of [false, true]) {
        const handle = await open({ peer: peerAddress, segmentRuns, ...LARGE_BUFFERS });
        expect(handle.peer).toEqual(plainAddress(peerAddress));
        const [socket, address] = [await io.attach(handle, 3), parseSocketAddress(ip, handle.port)];
        for (let i = 0; i < 12; i++) io.bytes[scratch + i] = i;
        expect(io.send(socket, scratch, 1, peerAddress)).toBe(true);
        for (let i = 1; i < 5; i++) io.queue(socket, scratch + i, 1, peerAddress);
        io.flush();
        expect(io.sendRun(socket, scratch + 5, 1, 3, peerAddress)).toBe(3);
        io.send(stranger, scratch, 1, address);
        io.send(peer, scratch, 1, address);
        const received = await receiveCount(9);
        const ofTag = (tag: number): Received[] => received.filter((datagram) => datagram.tag === tag);
        expect(ofTag(1).map(({ payload: [first] }) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(new Set(ofTag(1).map(({ from }) => from))).toEqual(new Set([`${ip} ${handle.port}`]));
        expect(ofTag(3)).toEqual([{ tag: 3, payload: [0], from: `${ip} ${peerAddress.port}` }]);
        io.detach(socket);
      }
      expect(io.counters).toMatchObject({ sendFailed: 0, sendRefused: 0, receiveFailed: 0 });
    });

    test('goes on when the peer was away for a while', async () => {
      const [absent, peerAddress] = await attach(1);
      const handle = await open({ peer: peerAddress });
      const socket = await io.attach(handle, 2);
      io.detach(absent);
      sockets.close(handles[0]);
      const { port } = peerAddress;
      await receiveUntil(() => {
        io.send(socket, scratch, 1, peerAddress);
        return io.counters.sendRefused + io.counters.receiveFailed > 0;
      });
      const [, back] = await attach(3, { port });
      expect(back.port).toBe(port);
      const received = await receiveUntil((datagrams) => {
        io.send(socket, scratch, 1, peerAddress);
        return datagrams.length > 0;
      });
      expect(received[0]).toMatchObject({ tag: 3, from: `${ip} ${handle.port}` });
    });

    test('is as one without when there is no way to it, and is refused when there cannot be one', async () => {
      // Broadcast, and a link-local address without a device: connect(2) takes neither.
      const nowhere = ip === '::1' ? parseSocketAddress('fe80::1', 9) : parseSocketAddress('255.255.255.255', 9);
      const [own, ownAddress] = await attach(1);
      const handle = await open({ peer: nowhere });
      if (implementation === 'native') expect(handle.peer).toBeUndefined();
      const socket = await io.attach(handle, 2);
      io.send(socket, scratch, 1, ownAddress);
      io.send(own, scratch, 1, parseSocketAddress(ip, handle.port));
      expect((await receiveCount(2)).map(({ tag }) => tag).sort()).toEqual([1, 2]);
      const wrong = [parseSocketAddress(ip, 0), ...(ip === '::1' ? [] : [parseSocketAddress('::1', 9)])];
      for (const peer of wrong) await expect(open({ peer })).rejects.toMatchObject({ code: 'invalid-option' });
    });
  });

  test('what cannot be opened says why', async () => {
    const [, held] = await attach(1);
    const code = (options: Partial<UdpSocketOptions>): Promise<unknown> =>
      sockets.open({ address: ip, port: 0, ...options }).then(
        () => 'opened',
        (error: { code: string }) => error.code,
      );
    expect(await code({ port: held.port })).toBe('address-in-use');
    expect(await code({ address: ip === '::1' ? '2001:db8::1' : '192.0.2.1' })).toBe('address-not-available');
    expect(await code({ address: 'localhost' })).toBe('invalid-address');
    expect(await code({ port: 65_536 })).toBe('invalid-address');
    expect(await code({ dscp: 64 })).toBe('invalid-option');
    expect(await code({ receiveBufferBytes: NaN })).toBe('invalid-option');
  });

  test('a handle of the other implementation is refused', async () => {
    const other = createUdpSockets(implementation === 'native' ? 'dgram' : 'native');
    const handle = await other.open({ address: ip, port: 0 });
    await expect((async () => io.attach(handle, 1))()).rejects.toMatchObject({ code: 'invalid-handle' });
    other.close(handle);
  });
});
