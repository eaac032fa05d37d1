import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { TestProcess, freePort } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { TestGateway } from './support/gateway.ts';
import { PlainSender } from './support/plain-sender.ts';

const PACKETS = 1500;
const PAYLOAD_BYTES = 1316;
const LINKS = 2;
const LOOPBACK = '127.0.0.1';
/** Packets that may be sent before the first arrives: SRT shakes hands meanwhile. */
const SETTLING_PACKETS = 500;

describeIf('srt-live-transmit', 'a stream over two links arrives whole at the SRT server', (programs) => {
  test.each([
    ['plain, from a sender that is not ours', 'plain', ''],
    ['with passphrase and stream id, from a sender that is not ours', 'plain', '&passphrase=0123456789abcdef'],
    ['plain, from our sender', 'ours', ''],
    ['with passphrase and stream id, from our sender', 'ours', '&passphrase=0123456789abcdef'],
  ] as const)(
    '%s',
    async (_, kind, passphrase) => {
      const [serverPort, sinkPort, sourcePort] = [await freePort(), await freePort(), await freePort()];
      await using running = new AsyncDisposableStack();
      const transmit = async (from: string, to: string): Promise<void> => {
        const args = ['-q', '-loglevel:fatal', from, to];
        running.use(await TestProcess.start(programs['srt-live-transmit'], { args }));
      };
      const seen = new Set<number>();
      const sink = createSocket('udp4').on('message', (payload) => seen.add(payload.readUInt32BE(0)));
      running.defer(() => void sink.close());
      sink.bind(sinkPort, LOOPBACK);
      await once(sink, 'listening');

      const gateway = running.use(await TestGateway.start());
      const receiverPort = await gateway.listen(serverPort);
      const plain = kind === 'plain' ? running.use(await PlainSender.start(receiverPort, LINKS)) : undefined;
      const encoderPort = plain?.port ?? (await gateway.uplink(receiverPort, LINKS));
      const server = `srt://${LOOPBACK}:${serverPort}?mode=listener&lossmaxttl=40&latency=200${passphrase}`;
      await transmit(server, `udp://${LOOPBACK}:${sinkPort}`);
      const stream = passphrase === '' ? '' : `${passphrase}&streamid=live/key`;
      const encoder = `srt://${LOOPBACK}:${encoderPort}?mode=caller&latency=200${stream}`;
      await transmit(`udp://${LOOPBACK}:${sourcePort}`, encoder);

      const source = createSocket('udp4');
      running.defer(() => void source.close());
      const send = (number: number): void => {
        const payload = Buffer.alloc(PAYLOAD_BYTES);
        payload.writeUInt32BE(number);
        source.send(payload, sourcePort, LOOPBACK);
      };
      for (let i = 0; seen.size === 0 && i < SETTLING_PACKETS; i += 1) {
        send(PACKETS + i);
        await sleep(20);
      }
      for (let i = 0; i < PACKETS; i += 1) {
        send(i);
        if (i % 5 === 4) await sleep(5);
      }
      const missing = (): number[] => Array.from({ length: PACKETS }, (_, i) => i).filter((i) => !seen.has(i));
      for (let waits = 0; waits < 50 && missing().length > 0; waits += 1) await sleep(100);
      expect(missing()).toEqual([]);
      if (plain !== undefined) expect(plain.acks).toBeGreaterThanOrEqual(PACKETS / 10 - LINKS);
      const expected = ['group-up', ...new Array<string>(LINKS).fill('link-up')];
      expect(gateway.events.map(({ type }) => type).filter((type) => !type.startsWith('uplink'))).toEqual(expected);
    },
    60_000,
  );
});
