import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { RejectionReason, SEQUENCE_MASK } from '@mediaplane/srtla';
import {
  Pacer,
  RtpPhone,
  SrtCaller,
  SrtListener,
  SrtRefusedError,
  TestProcess,
  UdpRelay,
  freePort,
} from '../src/index.ts';
import { describeIf } from '../src/describe-if.ts';

const LOOPBACK = '127.0.0.1';
const PAYLOAD_BYTES = 1316;
const PACKETS = 1500;
const PACKET_US = 1000;
const LOSS = 0.05;
/** Much, so that a machine that stalls loses nothing: how short it may be is tried by hand. */
const LATENCY_MS = 1000;
/** One that comes to the wrap in mid-stream. */
const INITIAL_SEQUENCE = SEQUENCE_MASK - PACKETS / 2;
const EXIT_MS = 20_000;

function numbered(number: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 0x47);
  payload.writeUInt32BE(number);
  return payload;
}

const NUMBERS = Array.from({ length: PACKETS }, (_, number) => number);

/** Calls `send` with the payloads of all packets, a thousand a second. */
async function stream(send: (payload: Buffer) => void): Promise<void> {
  const done = Promise.withResolvers<void>();
  let number = 0;
  const pacer = new Pacer(PACKET_US, RtpPhone.nowUs, () => {
    send(numbered(number));
    number += 1;
    if (number < PACKETS) return;
    pacer.stop();
    done.resolve();
  });
  await done.promise;
}

/** A listener that remembers the numbers of what it played. */
async function listen(latencyMs = LATENCY_MS) {
  const played: number[] = [];
  const listener = await SrtListener.listen({
    latencyMs,
    onPacket: ({ payload }) => played.push(Buffer.from(payload).readUInt32BE(0)),
  });
  return { listener, played };
}

test('our caller and our listener, with losses both ways', async () => {
  await using stack = new AsyncDisposableStack();
  const { listener, played } = await listen();
  stack.use(listener);
  const relay = stack.use(
    await UdpRelay.start({ targetPort: listener.port, there: { loss: LOSS, reorder: 0.01 }, back: { loss: LOSS } }),
  );
  const caller = stack.use(
    await SrtCaller.connect({
      port: relay.port,
      latencyMs: LATENCY_MS + 1,
      streamId: 'live/1',
      initialSequence: INITIAL_SEQUENCE,
      timeoutMs: 10_000,
    }),
  );
  const session = await listener.session();
  expect(session).toMatchObject({ streamId: 'live/1', latencyMs: LATENCY_MS + 1 });
  expect(caller.latencyMs).toBe(LATENCY_MS + 1);
  await stream((payload) => caller.send(payload));
  await caller.drained();
  await listener.until(() => played.length === PACKETS, { what: 'all packets played' });
  expect(played).toEqual(NUMBERS);
  const { missed, retransmittedShare, lossReports } = session.statistics;
  expect(missed).toBe(0);
  expect(retransmittedShare).toBeGreaterThan(LOSS / 3);
  expect(lossReports).toBeGreaterThan(0);
  expect(caller.statistics).toMatchObject({ sent: PACKETS, expired: 0, unacknowledged: 0 });
  expect(caller.statistics.retransmitted).toBeGreaterThanOrEqual(session.statistics.retransmitted);

  await caller[Symbol.asyncDispose]();
  expect(await listener.until(() => session.end)).toBe('closed-by-peer');
});

test('what does not come in time is missed, and told', async () => {
  await using stack = new AsyncDisposableStack();
  const { listener, played } = await listen(120);
  stack.use(listener);
  const relay = stack.use(await UdpRelay.start({ targetPort: listener.port }));
  const caller = stack.use(await SrtCaller.connect({ port: relay.port, initialSequence: 7 }));
  const session = await listener.session();
  caller.send(numbered(0));
  await listener.until(() => session.statistics.received === 1);
  relay.paths[0].dead = true;
  for (const number of [1, 2]) caller.send(numbered(number));
  await new Promise((resolve) => setTimeout(resolve, 100));
  relay.paths[0].dead = false;
  caller.send(numbered(3));
  await listener.until(() => session.statistics.received === 2);
  // The loss report that has just been written gets no further.
  relay.paths[0].dead = true;
  await listener.until(() => session.missed.length > 0, { what: 'packets given up' });
  relay.paths[0].dead = false;
  expect(session.missed).toEqual([8, 9]);
  expect(played).toEqual([0, 3]);
  await caller.drained();
  expect(session.statistics).toMatchObject({ received: 2, delivered: 2, missed: 2 });
  await listener[Symbol.asyncDispose]();
  expect(await caller.ended()).toBe('closed-by-peer');
  expect(() => caller.send(numbered(4))).toThrow('the SRT session is over: closed-by-peer');
});

test('a caller that is refused is told why; one that nobody answers gives up', async () => {
  await using listener = await SrtListener.listen({
    decide: ({ streamId }) => (streamId === 'live/key' ? null : RejectionReason.forbidden),
  });
  const { port } = listener;
  await expect(SrtCaller.connect({ port })).rejects.toEqual(new SrtRefusedError(RejectionReason.forbidden));
  await using accepted = await SrtCaller.connect({ port, streamId: 'live/key' });
  await using another = await SrtCaller.connect({ port, streamId: 'live/key' });
  accepted.send(numbered(0));
  another.send(numbered(1));
  await listener.until(() => listener.sessions.every(({ statistics }) => statistics.delivered === 1));
  expect(listener.sessions).toHaveLength(2);
  await using silent = await UdpRelay.start({ targetPort: 9 });
  await expect(SrtCaller.connect({ port: silent.port, timeoutMs: 300 })).rejects.toThrow('no SRT listener answers');
});

describeIf('srt-live-transmit', 'with libsrt at the other end', (programs) => {
  const program = programs['srt-live-transmit'];
  const transmit = (from: string, to: string): Promise<TestProcess> =>
    TestProcess.start(program, { args: ['-q', '-loglevel:fatal', from, to] });

  test('our caller sends to its listener, through a network that loses', async () => {
    await using stack = new AsyncDisposableStack();
    const played: number[] = [];
    const sink = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    stack.defer(() => void sink.close());
    const whole = Promise.withResolvers<void>();
    sink.on('message', (payload) => {
      played.push(payload.readUInt32BE(0));
      if (played.at(-1) === PACKETS - 1) whole.resolve();
    });
    sink.bind(0, LOOPBACK);
    await once(sink, 'listening');
    const port = await freePort();
    stack.use(
      await transmit(
        `srt://${LOOPBACK}:${port}?mode=listener&latency=${LATENCY_MS}`,
        `udp://${LOOPBACK}:${sink.address().port}`,
      ),
    );
    const relay = stack.use(await UdpRelay.start({ targetPort: port, there: { loss: LOSS }, back: { loss: LOSS } }));
    const caller = stack.use(
      await SrtCaller.connect({
        port: relay.port,
        latencyMs: 120,
        initialSequence: INITIAL_SEQUENCE,
        timeoutMs: 10_000,
      }),
    );
    expect(caller.latencyMs).toBe(LATENCY_MS);
    await stream((payload) => caller.send(payload));
    await caller.drained();
    await whole.promise;
    expect(played).toEqual(NUMBERS);
    expect(caller.statistics.retransmitted).toBeGreaterThan(0);
    expect(caller.statistics.rttMs).toBeGreaterThan(0);
  });

  test('its caller sends to our listener, through a network that loses', async () => {
    await using stack = new AsyncDisposableStack();
    const { listener, played } = await listen();
    stack.use(listener);
    const relay = stack.use(
      await UdpRelay.start({ targetPort: listener.port, there: { loss: LOSS }, back: { loss: LOSS } }),
    );
    const port = await freePort();
    const encoder = stack.use(
      await transmit(
        `udp://${LOOPBACK}:${port}?rcvbuf=${4 << 20}`,
        `srt://${LOOPBACK}:${relay.port}?mode=caller&latency=120&streamid=live/2`,
      ),
    );
    const session = await listener.session(0, { timeoutMs: EXIT_MS });
    expect(session).toMatchObject({ streamId: 'live/2', latencyMs: LATENCY_MS });
    const source = createSocket('udp4');
    stack.defer(() => void source.close());
    await stream((payload) => source.send(payload, port, LOOPBACK));
    // Were the last one lost, nobody would know it: libsrt sends nothing again that no NAK asks for.
    for (const number of [PACKETS, PACKETS + 1, PACKETS + 2]) source.send(numbered(number), port, LOOPBACK);
    await listener.until(() => played.length >= PACKETS, { what: 'all packets played', timeoutMs: EXIT_MS });
    expect(played.slice(0, PACKETS)).toEqual(NUMBERS);
    const { missed, retransmitted, strange } = session.statistics;
    expect({ missed, strange }).toEqual({ missed: 0, strange: 0 });
    expect(retransmitted).toBeGreaterThan(0);
    await encoder.stop();
    expect(await listener.until(() => session.end, { timeoutMs: EXIT_MS })).toBe('closed-by-peer');
  }, 40_000);
});
