import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import type { PortPair, UdpSocketHandle } from '@mediaplane/net';
import { LegReleases } from './leg-releases.ts';

const handle: UdpSocketHandle = {
  id: 1,
  implementation: 'dgram',
  fd: -1,
  address: '127.0.0.1',
  port: 20_000,
  dscp: 0,
  receiveBufferBytes: 0,
  sendBufferBytes: 0,
};
const pair: PortPair = { rtp: handle, rtcp: handle };
const leg = { legId: 'leg_1', ports: pair };
const away = ServiceError.unavailable('BUS_AWAY', 'the bus is away');

/** `answers` in order, the last of them for ever; undefined: the other end has released. */
function start(answers: (ServiceError | undefined)[], quarantineMs = 60_000) {
  let asked = 0;
  let onReleased = (): void => undefined;
  const released = new Promise<number>((resolve) => (onReleased = () => resolve(asked)));
  let onAsked = (): void => undefined;
  const releases = new LegReleases({
    ports: { release: () => onReleased() },
    detach: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      onAsked();
      if (answer !== undefined) throw answer;
    },
    firstDelayMs: 1,
    maxDelayMs: 2,
    quarantineMs,
  });
  const askedTimes = (times: number): Promise<void> =>
    new Promise((resolve) => {
      onAsked = () => {
        if (asked >= times) resolve();
      };
      onAsked();
    });
  return { releases, released, askedTimes, asked: () => asked };
}

describe('legs to other instances', () => {
  test.each([
    ['done', undefined],
    ['not there', new ServiceError('NOT_FOUND', 'CHANNEL_NOT_FOUND', 'no such channel')],
  ])('the port is free once the other end says: %s', async (_, answer) => {
    const { releases, released } = start([answer]);
    await releases.release('ch_b_1', leg);
    expect(await released).toBe(1);
  });

  test('nothing else is an answer: it is asked again until it gives one', async () => {
    const internal = new ServiceError('INTERNAL', 'INTERNAL', 'a bug');
    const overloaded = ServiceError.exhausted('OVERLOADED', 'too much to do', 1);
    const { releases, released } = start([away, internal, overloaded, away, undefined]);
    await releases.release('ch_b_1', leg);
    expect(await released).toBe(5);
  });

  test('the port is free after its quarantine, but the asking goes on until the end', async () => {
    const { releases, released, askedTimes } = start([away], 5);
    await releases.release('ch_b_1', leg);
    await askedTimes((await released) + 3);
    releases.stop();
  });

  test('an instance that was lost is asked no more; its port waits for the quarantine', async () => {
    const lost = ServiceError.unavailable('INSTANCE_LOST', 'the instance was lost');
    const { releases, released } = start([away, lost], 20);
    await releases.release('ch_b_1', leg);
    expect(await released).toBe(2);
  });
});
