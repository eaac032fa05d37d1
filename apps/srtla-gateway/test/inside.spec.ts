import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService, ServiceClient } from '@mediaplane/service';
import { freePort, tempFolder } from '@mediaplane/testkit';
import type { TempFolder } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { startSrtlaGateway } from '../src/service-spec.ts';
import { SrtlaGateway } from '../src/srtla-gateway.ts';
import { Follower } from './support/follower.ts';
import { fixedTo } from './support/instance.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const LATENCY_MS = 3000;
const PACKETS = 1000;
const { EndReason } = srtla;

describeIf('srt-live-transmit', 'a stream goes on', (programs) => {
  const program = programs['srt-live-transmit'];
  let folder: TempFolder;
  let service: RunningService;
  let inside: SrtlaGateway;
  let gateway: ServiceClient<srtla.SrtlaGatewayServiceDefinition>;
  let follower: Follower;
  let stack: AsyncDisposableStack;

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    folder = stack.use(await tempFolder('inside'));
    service = await startSrtlaGateway({
      sources: {
        values: { grpc: { port: 0 }, admin: { port: 0 }, media: { threads: 2 }, state: { folder: folder.path } },
      },
      logTo: { write: () => undefined },
    });
    stack.defer(() => service.stop('the test is over', 0));
    inside = service.app.get(SrtlaGateway);
    gateway = stack.use(createClient(srtla.SrtlaGatewayServiceDefinition, service.grpcAddress));
    follower = stack.use(new Follower((signal) => gateway.watchGroups({}, { signal })));
  });
  afterEach(() => stack.disposeAsync());

  async function stream(): Promise<{ chain: SrtChain; port: number }> {
    const serverPort = await freePort();
    const { listener } = await gateway.createListener({ settings: { name: 'main', ingest: fixedTo(serverPort) } });
    const port = listener?.address?.port ?? 0;
    const sender = stack.use(await PlainSender.start(port, 2));
    const settings = { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '' };
    return { chain: await SrtChain.start(settings, stack), port };
  }

  test('when its media thread dies', async () => {
    const { chain } = await stream();
    await chain.stream(0, PACKETS);
    const thread = inside.media.threads.find(({ sessions }) => sessions > 0);
    thread?.kill('for the test');
    await chain.stream(PACKETS, 2 * PACKETS);
    expect(await chain.missing(2 * PACKETS)).toEqual([]);
    expect(follower.events.map(({ detail }) => detail?.$case)).not.toContain('groupDown');
    expect(inside.sessions).toBe(1);
  }, 60_000);

  test('while the instance drains, and no new one comes; until the grace period is over', async () => {
    const { chain, port } = await stream();
    const stopped = service.stop('the test wants it', 600_000);
    await chain.stream(0, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);
    await expect(PlainSender.start(port, 1)).rejects.toMatchObject({ name: 'AbortError' });
    const down = follower.event('groupDown');
    await service.stop('now', 0);
    expect(await down).toMatchObject({ reason: EndReason.SHUTDOWN });
    await stopped;
  }, 60_000);

  test('under other ids, when the fleet has given its instance up', async () => {
    const { chain } = await stream();
    const { groups } = await gateway.listGroups({});
    const { listeners } = await gateway.listListeners({});
    await inside.closeOrphans([groups[0].groupId, listeners[0].listenerId]);
    const renewed = await follower.until(({ item }) => {
      const detail = item?.$case === 'event' ? item.value.detail : undefined;
      return detail?.$case === 'groupUp' && detail.value.resumed ? detail.value.group : undefined;
    });
    expect(renewed.formerGroupId).toBe(groups[0].groupId);
    expect((await gateway.getGroup({ groupId: renewed.groupId })).group?.listenerId).toBe(renewed.listenerId);
    await chain.stream(0, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);
  }, 60_000);
});
