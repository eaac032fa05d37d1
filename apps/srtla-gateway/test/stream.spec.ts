import { expect, test } from '@jest/globals';
import { freePort } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { TestGateway } from './support/gateway.ts';
import { Modem } from './support/modem.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const PACKETS = 1500;
const LINKS = 2;
/** Much, so that a machine that stalls for a second loses nothing that the gateway has not lost. */
const LATENCY_MS = 2000;
const PASSPHRASE = '0123456789abcdef';

describeIf('srt-live-transmit', 'a stream over two links arrives whole at the SRT server', (programs) => {
  const program = programs['srt-live-transmit'];

  test.each([
    ['plain, from a sender that is not ours', 'theirs', ''],
    ['with passphrase and stream id, from a sender that is not ours', 'theirs', PASSPHRASE],
    ['plain, from our sender', 'ours', ''],
    ['with passphrase and stream id, from our sender', 'ours', PASSPHRASE],
  ] as const)(
    '%s',
    async (_, kind, passphrase) => {
      await using stack = new AsyncDisposableStack();
      const serverPort = await freePort();
      const gateway = stack.use(await TestGateway.start());
      const receiverPort = await gateway.listen(serverPort);
      const theirs = kind === 'theirs' ? stack.use(await PlainSender.start(receiverPort, LINKS)) : undefined;
      const encoderPort = theirs?.port ?? (await gateway.uplink([receiverPort, receiverPort]));
      const chain = await SrtChain.start(
        { program, serverPort, encoderPort, latencyMs: LATENCY_MS, passphrase },
        stack,
      );
      await chain.stream(0, PACKETS);
      expect(await chain.missing(PACKETS)).toEqual([]);
      if (theirs !== undefined) expect(theirs.acks).toBeGreaterThanOrEqual(PACKETS / 10 - LINKS);
      const types = gateway.events.map(({ type }) => type).filter((type) => !type.startsWith('uplink'));
      expect(types).toEqual(['group-up', ...new Array<string>(LINKS).fill('link-up'), 'ingest-accepted']);
    },
    60_000,
  );

  test('with one modem that dies in the middle without a word', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const gateway = stack.use(await TestGateway.start());
    const receiverPort = await gateway.listen(serverPort);
    const modems = [stack.use(await Modem.start(receiverPort)), stack.use(await Modem.start(receiverPort))];
    const encoderPort = await gateway.uplink(modems.map(({ port }) => port));
    const chain = await SrtChain.start(
      { program, serverPort, encoderPort, latencyMs: LATENCY_MS, passphrase: '' },
      stack,
    );
    await chain.stream(0, PACKETS / 3);
    modems[0].dead = true;
    await chain.stream(PACKETS / 3, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);
    expect(gateway.events).toContainEqual(expect.objectContaining({ type: 'uplink-failover', link: 0 }));
  }, 60_000);
});
