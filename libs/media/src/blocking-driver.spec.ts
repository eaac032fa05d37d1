import { MessageChannel } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { createPacketIo, createUdpSockets, parseSocketAddress } from '@mediaplane/net';
import { runBlocking } from './blocking-driver.ts';
import { SharedCounters, THREAD_COUNTERS } from './counters.ts';
import { MediaLoop } from './media-loop.ts';
import type { MediaContract, MediaProgram, MediaSession } from './program.ts';
import { WakeCoalescer } from './wake-coalescer.ts';

const STEP_US = 50_000;
const DEADLINE_US = 20 * STEP_US;

class AlwaysPausing extends WakeCoalescer {
  override pauseUs(): number {
    return 100;
  }
}

test.each([true, false])('what a deadline queues does not wait out a pause, batchCalls %s', async (batchCalls) => {
  const sockets = createUdpSockets('native');
  const [handle, peer] = await Promise.all([
    sockets.open({ address: '127.0.0.1', port: 0, segmentRuns: true }),
    sockets.open({ address: '127.0.0.1', port: 0 }),
  ]);
  const io = createPacketIo({ implementation: 'native', batchCalls });
  const other = createPacketIo({ implementation: 'native' });
  await other.attach(peer, 0);
  const at = io.reserve(100);
  const to = parseSocketAddress('127.0.0.1', peer.port);
  let queued = 0;

  const program: MediaProgram<MediaSession<MediaContract>, MediaContract> = {
    open(port) {
      port.setDeadline(DEADLINE_US);
      const nothing = (): void => undefined;
      const onDeadline = (): void => {
        for (; queued < 3; queued++) port.queue(0, at, 100, to);
      };
      const session = { onDatagram: nothing, onFrame: nothing, snapshot: nothing, close: nothing, lost: nothing };
      return { session: { ...session, onDeadline }, opened: null };
    },
    restore: () => {
      throw new Error('nothing moves here');
    },
    commands: {},
  };
  const thread = { io, unixOffsetUs: 0, counters: new Float64Array(0), options: null };
  let nowUs = DEADLINE_US - 3 * STEP_US;
  const loop = new MediaLoop(thread, program, () => undefined, nowUs);
  loop.handle({ type: 'open', call: 1, sessionId: 'a', sockets: [{ role: 0, handle }], init: null }, nowUs);
  const { port1, port2 } = new MessageChannel();
  let arrived = 0;
  /** Of each pause: what had been queued, and what had arrived. */
  const pauses: [number, number][] = [];
  runBlocking({
    loop,
    mailbox: port1,
    counters: new SharedCounters(THREAD_COUNTERS),
    coalescer: new AlwaysPausing(0, 256, nowUs),
    nowUs: () => (nowUs += STEP_US),
    sleepUs: () => {
      for (let pass = 0; pass < 3; pass++) arrived += other.receive(0);
      pauses.push([queued, arrived]);
      loop.stopping = queued > 0;
    },
  });
  expect(pauses.at(0)).toEqual([0, 0]);
  expect(pauses.at(-1)).toEqual([3, 3]);
  for (const each of [io, other]) each.close();
  for (const each of [handle, peer]) sockets.close(each);
  for (const port of [port1, port2]) port.close();
});
