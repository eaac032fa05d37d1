import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { TestProcess, freePort, tempFolder } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { FRAMES_PER_SECOND, FfmpegChain, SAMPLES_PER_SECOND } from '../support/ffmpeg-chain.ts';
import { fixedTo, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';
import { inspectTransportStream } from '../support/transport-stream.ts';

const { GroupView, LinkState } = srtla;
const SEND_SCRIPT = fileURLToPath(new URL('../../src/send/main.ts', import.meta.url));
const LINKS = ['127.0.0.2', '127.0.0.3'];
const SECONDS = 2;
const PASSPHRASE = '0123456789abcdef';
const STREAM_ID = '#!::r=live/cam1,u=ann,s=Xk92secretQv7';
/** Tables of the stream (PAT, SDT, PMT), video and audio, as ffmpeg numbers them. */
const PIDS = [0, 17, 4096, 256, 257];
const SOME_PACKETS = 100;

describeIf(['ffmpeg', 'srt-live-transmit'], 'from ffmpeg over two links to an SRT server, whole', (programs) => {
  test('plain, by a sender on its own', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const { instance, folder, listenerPort } = await receiver(stack, fixedTo(serverPort));
    const chain = await FfmpegChain.start({ programs, folder, serverPort, passphrase: '', streamId: '' }, stack);
    const links = join(folder, 'links.txt');
    await writeFile(links, LINKS.join('\n'));
    const args = ['--to', `127.0.0.1:${listenerPort}`, '--links', links, '--listen', '0', '--json'];
    const sender = stack.use(await TestProcess.startNode(SEND_SCRIPT, { name: 'srtla-send', args }));
    const { encoderUrl } = await sender.waitForJson(({ type }) => type === 'started');
    await Promise.all(LINKS.map((link) => sender.waitForJson(({ event }) => isLinkUp(event, link))));

    await streamsWhole(chain, Number(new URL(String(encoderUrl)).port));
    await wasCarried(instance, { streamName: 'main', encrypted: false, streamIdRedacted: '' });
  }, 60_000);

  test('encrypted, to the server that its stream id names, by an uplink of another gateway', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const [{ instance, folder, listenerPort }, { gateway }] = await Promise.all([
      receiver(stack, rules(serverPort)),
      started(stack),
    ]);
    const chain = await FfmpegChain.start(
      { programs, folder, serverPort, passphrase: PASSPHRASE, streamId: STREAM_ID },
      stack,
    );
    const { uplink } = await gateway.createUplink({
      settings: {
        name: 'van',
        receiverHost: '127.0.0.1',
        receiverPort: listenerPort,
        links: LINKS.map((address) => ({ address })),
      },
    });
    await linksUp(gateway);

    await streamsWhole(chain, uplink?.listen?.port ?? 0);
    await wasCarried(instance, { streamName: 'ann: live/cam1', encrypted: true });
  }, 60_000);
});

/** A gateway, and the folder of what it keeps. */
async function started(stack: AsyncDisposableStack): Promise<Instance & { readonly folder: string }> {
  const { path: folder } = stack.use(await tempFolder('gateway'));
  return Object.assign(stack.use(await startInstance(folder)), { folder });
}

/** A gateway with a listener. */
async function receiver(stack: AsyncDisposableStack, ingest: srtla.IngestPolicy) {
  const instance = await started(stack);
  const { listener } = await instance.gateway.createListener({ settings: { name: 'main', ingest } });
  return { instance, folder: instance.folder, listenerPort: listener?.address?.port ?? 0 };
}

/** Resolves when all links of the one uplink are up. */
async function linksUp(gateway: Instance['gateway']): Promise<void> {
  for await (const { item } of gateway.watchUplinks({ withStatistics: true })) {
    if (item?.$case !== 'statistics') continue;
    const { uplinks } = await gateway.listUplinks({});
    if (uplinks[0].links.every(({ state }) => state === LinkState.UP)) return;
  }
}

/** Others than ann's cameras are refused. */
function rules(port: number): srtla.IngestPolicy {
  const server = { $case: 'server' as const, value: { host: '127.0.0.1', port } };
  const then = { action: server, streamName: '{user}: {resource}' };
  return srtla.IngestPolicy.fromPartial({
    policy: { $case: 'rules', value: { rules: [{ resource: 'live/cam*', user: 'ann', then }] } },
  });
}

function isLinkUp(event: unknown, link: string): boolean {
  return JSON.stringify(event ?? null).includes(`"type":"link-up","link":{"number":${LINKS.indexOf(link)},`);
}

/** Byte by byte what was sent, without a gap for its readers, and every frame and sample can be decoded. */
async function streamsWhole(chain: FfmpegChain, encoderPort: number): Promise<void> {
  const { sent, received } = await chain.stream(encoderPort, SECONDS + 1);
  const { errors, packets } = inspectTransportStream(received);
  expect(errors).toEqual([]);
  expect([...packets.keys()]).toEqual(expect.arrayContaining(PIDS));
  expect(sent.subarray(0, received.length).equals(received)).toBe(true);
  expect(await chain.decode(SECONDS)).toEqual({
    frames: SECONDS * FRAMES_PER_SECOND,
    samples: SECONDS * SAMPLES_PER_SECOND,
    complaints: [],
  });
}

/** By both links; what the gateway tells of it. */
async function wasCarried({ gateway }: Instance, expected: Partial<srtla.Group>): Promise<void> {
  const { groups } = await gateway.listGroups({});
  expect(groups).toMatchObject([expected]);
  const { group } = await gateway.getGroup({ groupId: groups[0].groupId, view: GroupView.STATS });
  const carried = group?.statistics?.links.map(({ packets }) => packets) ?? [];
  expect(carried).toHaveLength(LINKS.length);
  for (const count of carried) expect(count).toBeGreaterThan(SOME_PACKETS);
  expect(JSON.stringify([groups, group])).not.toContain('secret');
}
