import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { MediaThreads } from '@mediaplane/media';
import { SocketAddress, createUdpSockets } from '@mediaplane/net';
import type { UdpSocketHandle } from '@mediaplane/net';
import { TestProcess, freePort } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { RECEIVER_DEFAULTS } from '../src/domain/receiver/options.ts';
import { SOCKET_ROLE } from '../src/media/contract.ts';
import type { SrtlaContract, SrtlaEvent } from '../src/media/contract.ts';
import { PlainSender } from './support/plain-sender.ts';

const PACKETS = 1500;
const PAYLOAD_BYTES = 1316;
const LISTENER = 'listener';

/** A listener on a media thread, its groups connected to the SRT server at `serverPort` as they come. */
async function startReceiver(serverPort: number) {
  const sockets = createUdpSockets('native');
  const handles: UdpSocketHandle[] = [];
  const events: SrtlaEvent[] = [];
  const openSocket = async (): Promise<UdpSocketHandle> => {
    const handle = await sockets.open({ address: '127.0.0.1', port: 0 });
    handles.push(handle);
    return handle;
  };
  const server = new SocketAddress().set(0, 0, 0xffff, 0x7f000001, serverPort);
  const threads = await MediaThreads.start<SrtlaContract>({
    threads: 1,
    program: new URL('../src/media/program.ts', import.meta.url),
    programCounters: [],
    implementation: 'native',
    latencyBudgetUs: 0,
    onEvent: (_, event) => {
      events.push(event);
      if (event.type === 'group-up') void connect(event.group);
    },
    onSessionLost: (sessionId, _handles, cause) => {
      throw new Error(`${sessionId}: ${cause}`);
    },
  });
  const connect = async (group: number): Promise<void> => {
    const socket = { role: SOCKET_ROLE, handle: await openSocket() };
    const { w0, w1, w2, w3, port } = server;
    const init = { kind: 'upstream', listenerId: LISTENER, group, server: { w0, w1, w2, w3, port } } as const;
    await threads.open(`group-${group}`, [socket], init, LISTENER);
  };
  const handle = await openSocket();
  const tokens = {
    current: { id: 1, secret: new Uint8Array(32).fill(3) },
    instanceId: 'test',
    maxAgeMs: 3_600_000,
  };
  await threads.open(LISTENER, [{ role: SOCKET_ROLE, handle }], {
    kind: 'listener',
    options: RECEIVER_DEFAULTS,
    tokens,
    seed: 99,
  });
  return {
    port: handle.port,
    events,
    async [Symbol.asyncDispose]() {
      await threads.stop();
      for (const each of handles) sockets.close(each);
    },
  };
}

describeIf('srt-live-transmit', 'a stream over two links', (programs) => {
  test.each([
    ['plain', ''],
    ['with passphrase and stream id', '&passphrase=0123456789abcdef&streamid=live/key'],
  ])(
    '%s arrives whole at the SRT server',
    async (_, settings) => {
      const [serverPort, sinkPort, sourcePort] = [await freePort(), await freePort(), await freePort()];
      const sink = createSocket('udp4');
      const seen = new Set<number>();
      sink.on('message', (payload) => seen.add(payload.readUInt32BE(0)));
      sink.bind(sinkPort, '127.0.0.1');
      await once(sink, 'listening');
      await using programsRunning = new AsyncDisposableStack();
      const run = async (from: string, to: string): Promise<void> => {
        programsRunning.use(
          await TestProcess.start(programs['srt-live-transmit'], { args: ['-q', '-loglevel:fatal', from, to] }),
        );
      };
      const server = `srt://127.0.0.1:${serverPort}?mode=listener&lossmaxttl=40&latency=200${settings.replace(/&streamid=.*/, '')}`;
      await run(server, `udp://127.0.0.1:${sinkPort}`);
      await using receiver = await startReceiver(serverPort);
      await using sender = await PlainSender.start(receiver.port, 2);
      const encoder = `srt://127.0.0.1:${sender.port}?mode=caller&latency=200${settings}`;
      await run(`udp://127.0.0.1:${sourcePort}`, encoder);
      const source = createSocket('udp4');
      const payload = Buffer.alloc(PAYLOAD_BYTES);
      // Until the session stands nothing arrives; numbers below PACKETS are the ones that count.
      for (let i = PACKETS; seen.size === 0 && i < PACKETS + 500; i += 1) {
        payload.writeUInt32BE(i);
        source.send(Buffer.from(payload), sourcePort, '127.0.0.1');
        await sleep(20);
      }
      expect(seen.size).toBeGreaterThan(0);
      for (let i = 0; i < PACKETS; i += 1) {
        payload.writeUInt32BE(i);
        source.send(Buffer.from(payload), sourcePort, '127.0.0.1');
        if (i % 5 === 4) await sleep(5);
      }
      await sleep(1000);
      const missing = Array.from({ length: PACKETS }, (_, i) => i).filter((i) => !seen.has(i));
      source.close();
      sink.close();
      expect(missing).toEqual([]);
      expect(sender.acks).toBeGreaterThanOrEqual(Math.floor(PACKETS / 10) - 2);
      expect(receiver.events.map(({ type }) => type)).toEqual(['group-up', 'link-up', 'link-up']);
    },
    60_000,
  );
});
