import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { TestProcess, freePort } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { TestGateway } from './support/gateway.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const PACKETS = 1500;
const LINKS = 2;
/** Much, so that a machine that stalls for a second loses nothing that the gateway has not lost. */
const LATENCY_MS = 2000;
const PASSPHRASE = '0123456789abcdef';
const NO_SERVER = 9;
const REPEATS = 10;
const HEARD_WITHIN_MS = 30_000;
/** An encoder that is refused comes back at once; when it hears nothing, after 3 s. */
const COMES_BACK_MS = 3000;

describeIf('srt-live-transmit', 'an SRT session through the gateway', (programs) => {
  const program = programs['srt-live-transmit'];

  test.each([
    ['whose stream id chooses the server, encrypted', PASSPHRASE, 'live/key'],
    ['without a stream id, which has a rule too', '', null],
  ])(
    '%s, arrives whole there',
    async (_, passphrase, streamId) => {
      await using stack = new AsyncDisposableStack();
      const serverPort = await freePort();
      const gateway = stack.use(await TestGateway.start());
      const receiverPort = await gateway.listen(NO_SERVER, {
        options: { ingest: 'decide' },
        decide: (asked) => (asked === streamId ? { serverPort } : { reason: 1403 }),
      });
      const sender = stack.use(await PlainSender.start(receiverPort, LINKS));
      const encoderPort = sender.port;
      const chain = await SrtChain.start(
        { program, serverPort, encoderPort, latencyMs: LATENCY_MS, passphrase },
        stack,
      );
      await chain.stream(0, PACKETS);
      expect(await chain.missing(PACKETS)).toEqual([]);
      expect(gateway.events.slice(3)).toMatchObject([
        { type: 'ingest-request', streamId, latencyMs: LATENCY_MS, isEncrypted: passphrase !== '' },
        { type: 'ingest-accepted', streamId, latencyMs: LATENCY_MS, isEncrypted: passphrase !== '' },
      ]);
      const { groups, counters } = await gateway.statistics();
      expect(groups).toMatchObject([{ isAccepted: true, latencyMs: LATENCY_MS, links: [{}, {}] }]);
      expect(groups[0].packets).toBeGreaterThanOrEqual(PACKETS);
      expect(counters).toMatchObject({ malformed: 0, strangers: 0 });
    },
    60_000,
  );

  test.each([1401, 1403])(
    'that is refused with %p gets to know it, again and again, and is asked about once',
    async (reason) => {
      await using stack = new AsyncDisposableStack();
      const gateway = stack.use(await TestGateway.start());
      const receiverPort = await gateway.listen(NO_SERVER, {
        options: { ingest: 'decide' },
        decide: () => ({ reason }),
      });
      const sender = stack.use(await PlainSender.start(receiverPort, LINKS));
      const target = `srt://127.0.0.1:${sender.port}?mode=caller&streamid=x`;
      const args = ['-q', '-loglevel:fatal', `udp://127.0.0.1:${await freePort()}`, target];
      const repeats = async (): Promise<number> => (await gateway.statistics()).counters.refusalRepeats;
      const moreThan = async (count: number): Promise<boolean> => {
        const untilMs = performance.now() + COMES_BACK_MS;
        while ((await repeats()) <= count && performance.now() < untilMs) await sleep(50);
        return (await repeats()) > count;
      };
      const untilMs = performance.now() + HEARD_WITHIN_MS;
      while ((await repeats()) < REPEATS && performance.now() < untilMs) {
        // A refusal that is there before libsrt's program waits for it makes that wait for ever: then another takes its place.
        await using encoder = await TestProcess.start(program, { args });
        let count = await repeats();
        while (encoder.isRunning && count < REPEATS && (await moreThan(count))) count = await repeats();
      }
      expect(await repeats()).toBeGreaterThanOrEqual(REPEATS);
      expect(gateway.events.filter(({ type }) => type.startsWith('ingest'))).toMatchObject([
        { type: 'ingest-request', streamId: 'x' },
        { type: 'ingest-refused', streamId: 'x', reason, by: 'verdict' },
      ]);
    },
    60_000,
  );

  test('goes on when the gateway is started again, with senders unchanged and nothing lost', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const before = stack.use(await TestGateway.start());
    const receiverPort = await before.listen(serverPort);
    const sender = stack.use(await PlainSender.start(receiverPort, LINKS));
    const chain = await SrtChain.start(
      { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: PASSPHRASE },
      stack,
    );
    await chain.stream(0, PACKETS / 3);
    const former = before.former();
    await before[Symbol.asyncDispose]();
    const after = stack.use(await TestGateway.start());
    await after.listen(serverPort, { former });
    await chain.stream(PACKETS / 3, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);
    expect(after.events.map(({ type }) => type)).toEqual(['group-up', 'link-up', 'link-up']);
  }, 60_000);

  test.each([
    ['fixed', {}],
    ['chosen', { options: { ingest: 'decide' as const } }],
  ])(
    'of an encoder that is killed and starts again comes to stand anew with a %s server, and one whose server comes late',
    async (_, options) => {
      await using stack = new AsyncDisposableStack();
      // Holds the port until the server comes, and says nothing; the other one takes what the server gets.
      const [deaf, sink] = [await bound(), await bound()];
      stack.defer(() => void sink.close());
      const serverPort = deaf.address().port;
      const gateway = stack.use(await TestGateway.start());
      const decide = (): { serverPort: number } => ({ serverPort });
      const listen = 'options' in options ? { ...options, decide } : {};
      const sender = stack.use(await PlainSender.start(await gateway.listen(serverPort, listen), LINKS));
      const transmit = async (from: string, to: string): Promise<TestProcess> =>
        stack.use(await TestProcess.start(program, { args: ['-q', '-loglevel:fatal', from, to] }));
      const encoder = async (): Promise<TestProcess> =>
        transmit(`udp://127.0.0.1:${await freePort()}`, `srt://127.0.0.1:${sender.port}?mode=caller`);
      const first = await encoder();
      // The first handshake finds nobody, and is told so where the gateway decides.
      await sleep(500);
      deaf.close();
      await once(deaf, 'close');
      await transmit(`srt://127.0.0.1:${serverPort}?mode=listener`, `udp://127.0.0.1:${sink.address().port}`);
      await gateway.seen('ingest-accepted');
      await first.kill();
      await encoder();
      await gateway.seen('ingest-accepted', 2);
      const accepted = gateway.events.filter((event) => event.type === 'ingest-accepted');
      expect(new Set(accepted.map(({ callerSocketId }) => callerSocketId)).size).toBe(2);
      expect((await gateway.statistics()).groups).toMatchObject([{ isAccepted: true }]);
    },
    60_000,
  );
});

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
