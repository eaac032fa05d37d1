import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { MediaThreads } from '@mediaplane/media';
import { createUdpSockets } from '@mediaplane/net';
import { freePort } from '@mediaplane/testkit';
import type { SrtlaContract } from '../src/media/contract.ts';
import { LINK_DEFAULTS, UPLINK_DEFAULTS } from '../src/uplinks/settings.ts';
import { EventLog } from '../src/uplinks/spec-parts.ts';
import { Uplinks } from '../src/uplinks/uplinks.ts';
import { TestGateway } from './support/gateway.ts';

const CYCLES = 20;
const LINKS = ['127.0.0.2', '127.0.0.3'].map((address) => ({ ...LINK_DEFAULTS, address }));

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Uplinks on a media thread, as the service has them. */
class RealUplinks implements AsyncDisposable {
  readonly log = new EventLog();
  readonly uplinks: Uplinks;
  readonly media: MediaThreads<SrtlaContract>;

  private constructor(media: MediaThreads<SrtlaContract>) {
    this.media = media;
    let count = 0;
    this.uplinks = new Uplinks({
      media,
      sockets: createUdpSockets('native'),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      newUplinkId: () => `up_${++count}`,
      onEvent: (event) => this.log.push(event),
    });
  }

  static async start(): Promise<RealUplinks> {
    const real: RealUplinks = new RealUplinks(
      await MediaThreads.start<SrtlaContract>({
        threads: 1,
        program: new URL('../src/media/program.ts', import.meta.url),
        programCounters: [],
        implementation: 'native',
        latencyBudgetUs: 0,
        arenaBytes: 16 << 20,
        onEvent: (sessionId, event) => void real.uplinks.onMediaEvent(sessionId, event),
        onSessionLost: (sessionId, handles, cause) => void real.uplinks.onSessionLost(sessionId, handles, cause),
      }),
    );
    return real;
  }

  /** Resolves when it has been told so often of something about a link. */
  async told(type: string, times: number): Promise<void> {
    await this.log.until(() => this.log.types().filter((each) => each === type).length >= times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uplinks.stop();
    await this.media.stop();
  }
}

test('uplinks that come and go leave nothing behind', async () => {
  await using real = await RealUplinks.start();
  // Nobody answers at discard (RFC 863).
  const settings = { ...UPLINK_DEFAULTS, receiverHost: '127.0.0.1', receiverPort: 9, links: LINKS };
  const cycle = async (): Promise<{ during: number; after: number }> => {
    const { uplinkId } = await real.uplinks.create(settings);
    await real.uplinks.updateLink(uplinkId, '127.0.0.2', { enabled: false });
    const { links } = await real.uplinks.updateLink(uplinkId, '127.0.0.2', { enabled: true });
    expect(links.map(({ phase }) => phase)).toEqual(['registering', 'registering']);
    const during = descriptors();
    await real.uplinks.delete(uplinkId);
    return { during, after: descriptors() };
  };
  // What is opened once and kept is open after the first.
  const { after } = await cycle();
  for (let i = 1; i < CYCLES; i += 1) expect(await cycle()).toEqual({ during: after + 1 + LINKS.length, after });
  expect(real.media.sessions).toBe(0);
}, 60_000);

test('an uplink outlives its media thread: the same port, and its links are up again', async () => {
  await using gateway = await TestGateway.start();
  await using real = await RealUplinks.start();
  const receiverPort = await gateway.listen(await freePort());
  const settings = { ...UPLINK_DEFAULTS, receiverHost: '127.0.0.1', receiverPort, links: LINKS };
  const { listenPort } = await real.uplinks.create(settings);
  await real.told('link-up', LINKS.length);
  real.media.threads[0].kill('killed by the test');
  await real.told('uplink-restarted', 1);
  await real.told('link-up', 2 * LINKS.length);
  expect(real.uplinks.list()).toEqual([expect.objectContaining({ listenPort, problem: '' })]);
  expect(real.media.sessions).toBe(1 + LINKS.length);
}, 60_000);

test('one more than the media thread has memory for is refused as that, and there is room when another has ended', async () => {
  await using real = await RealUplinks.start();
  // Half a second of it is 8 MiB of the 16 that the thread has.
  const settings = { ...UPLINK_DEFAULTS, maxBitrateBps: 100e6, receiverHost: '127.0.0.1', receiverPort: 9 };
  const { uplinkId } = await real.uplinks.create(settings);
  const before = descriptors();
  const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'UPLINK_MEMORY_EXHAUSTED' };
  await expect(real.uplinks.create(settings)).rejects.toMatchObject(refusal);
  expect(descriptors()).toBe(before);
  await real.uplinks.delete(uplinkId);
  await real.uplinks.create(settings);
}, 60_000);

test('a receiver that answers from another address than it was asked at is named', async () => {
  await using real = await RealUplinks.start();
  const [asked, answering] = ['127.0.0.1', '127.0.0.7'].map((address) => {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    return socket;
  });
  try {
    await Promise.all([asked, answering].map((socket) => once(socket, 'listening')));
    asked.on('message', (_, { port, address }) => answering.send('whatever', port, address));
    const receiverPort = asked.address().port;
    const settings = { ...UPLINK_DEFAULTS, receiverHost: '127.0.0.1', receiverPort, links: LINKS.slice(0, 1) };
    const { uplinkId } = await real.uplinks.create(settings);
    await real.told('link-unanswered', 1);
    const [{ problem, statistics }] = real.uplinks.describe(uplinkId).links;
    expect(problem).toContain(`127.0.0.1:${receiverPort} was asked, but 127.0.0.7:${answering.address().port} answers`);
    expect(statistics?.strangers).toBeGreaterThan(0);
  } finally {
    asked.close();
    answering.close();
  }
}, 30_000);
