import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { freePort, tempFolder } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { fixedTo, startInstance } from './support/instance.ts';
import { SrtChain } from './support/srt-chain.ts';

const { GroupState, LinkDownReason, LinkState, SchedulingMode, UplinkView } = srtla;
const LATENCY_MS = 2000;
const PACKETS = 1000;

describeIf('srt-live-transmit', 'an uplink by the API', (programs) => {
  const program = programs['srt-live-transmit'];

  test('carries a stream while its links change, and finds a receiver again that has forgotten everything', async () => {
    await using stack = new AsyncDisposableStack();
    const serverPort = await freePort();
    const receiving = stack.use(await tempFolder('receiving'));
    const sending = stack.use(await tempFolder('sending'));
    let receiver = await startInstance(receiving.path);
    stack.defer(() => receiver[Symbol.asyncDispose]());
    const { gateway } = stack.use(await startInstance(sending.path));
    const { listener } = await receiver.gateway.createListener({
      settings: { name: 'main', ingest: fixedTo(serverPort) },
    });
    const link = (address: string, name: string) => ({ address, name });
    const created = await gateway.createUplink({
      settings: {
        name: 'camera',
        receiverHost: 'localhost',
        receiverPort: listener?.address?.port ?? 0,
        links: [link('127.0.0.1', 'lte1'), link('127.0.0.2', 'lte2')],
        labels: { camera: '1' },
      },
    });
    const uplinkId = created.uplink?.uplinkId ?? '';
    const responses: srtla.WatchUplinksResponse[] = [];
    const wakes: (() => void)[] = [];
    const watching = new AbortController();
    stack.defer(() => watching.abort());
    const watched = async (
      look: (response: srtla.WatchUplinksResponse) => boolean,
      from = 0,
    ): Promise<srtla.WatchUplinksResponse> => {
      const limit = AbortSignal.timeout(30_000);
      for (;;) {
        const found = responses.slice(from).find(look);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wakes.push(resolve);
          limit.addEventListener('abort', () => resolve(), { once: true });
        });
        limit.throwIfAborted();
      }
    };
    void (async () => {
      const stream = gateway.watchUplinks({ withStatistics: true }, { signal: watching.signal });
      for await (const response of stream) {
        responses.push(response);
        for (const wake of wakes.splice(0)) wake();
      }
    })().catch(() => undefined);
    const happened = (kind: string, from = 0) =>
      watched(({ item }) => item?.$case === 'event' && item.value.detail?.$case === kind, from);

    const chain = await SrtChain.start(
      { program, serverPort, encoderPort: created.uplink?.listen?.port ?? 0, latencyMs: LATENCY_MS, passphrase: '' },
      stack,
    );
    await happened('encoderUp');
    const changes = async (): Promise<void> => {
      await gateway.updateLink({ uplinkId, linkName: 'lte1', link: { disabled: true } });
      const down = await happened('linkDown');
      expect(down.item).toMatchObject({
        value: { labels: { camera: '1' }, detail: { value: { linkName: 'lte1', reason: LinkDownReason.DISABLED } } },
      });
      await gateway.addLink({ uplinkId, link: link('127.0.0.3', 'lte3') });
      await gateway.updateUplink({ uplinkId, settings: { mode: SchedulingMode.CLASSIC }, updateMask: ['mode'] });
      await gateway.markKeyFrames({ uplinkId, durationMs: 100 });
    };
    await Promise.all([chain.stream(0, 2 * PACKETS), changes()]);
    expect(await chain.missing(2 * PACKETS)).toEqual([]);
    const { uplink } = await gateway.getUplink({ uplinkId, view: UplinkView.STATS });
    expect(uplink).toMatchObject({
      registered: true,
      latencyMs: LATENCY_MS,
      settings: { mode: SchedulingMode.CLASSIC },
    });
    expect(uplink?.links.map(({ settings, state }) => [settings?.name, state])).toEqual([
      ['lte1', LinkState.DISABLED],
      ['lte2', LinkState.UP],
      ['lte3', LinkState.UP],
    ]);
    expect(uplink?.statistics?.packets).toBeGreaterThanOrEqual(2 * PACKETS);
    await watched(({ item }) => item?.$case === 'statistics' && (item.value.statistics?.bitrateBps ?? 0) > 1e6);

    await receiver.process.kill();
    await rm(join(receiving.path, 'srtla-state/test-node=2eexample/groups'), { recursive: true });
    receiver = await startInstance(receiving.path);
    let groups: srtla.Group[] = [];
    const startedMs = performance.now();
    // The sender shows the id that it was given: the token in it makes it a group again.
    do ({ groups } = await receiver.gateway.listGroups({}));
    while (!groups.some(({ state }) => state === GroupState.STREAMING) && performance.now() - startedMs < 30_000);
    expect(groups).toMatchObject([{ state: GroupState.STREAMING, formerGroupId: '' }]);

    expect((await gateway.listUplinks({ filter: 'labels.camera = "1"' })).uplinks).toHaveLength(1);
    await gateway.deleteUplink({ uplinkId });
    await happened('uplinkClosed');
    expect((await gateway.listUplinks({})).uplinks).toEqual([]);
  }, 90_000);

  test('names what is wrong', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder('sending'));
    const { gateway } = stack.use(await startInstance(folder.path));
    const settings = {
      name: 'camera',
      receiverHost: '?',
      receiverPort: 5000,
      links: [{ address: '127.0.0.1', cost: 1001 }],
    };
    await expect(gateway.createUplink({ settings })).rejects.toMatchObject({
      fieldViolations: [{ field: 'settings.receiver_host' }, { field: 'settings.links[0].cost' }],
    });
    const good = { ...settings, receiverHost: 'localhost', links: [] };
    const { uplink } = await gateway.createUplink({ settings: good, requestId: 'once' });
    expect((await gateway.createUplink({ settings: good, requestId: 'once' })).uplink?.uplinkId).toBe(uplink?.uplinkId);
    await expect(gateway.createUplink({ settings: good })).rejects.toMatchObject({ reason: 'UPLINK_EXISTS' });
    const uplinkId = uplink?.uplinkId ?? '';
    await expect(gateway.removeLink({ uplinkId, linkName: 'x' })).rejects.toMatchObject({ reason: 'LINK_NOT_FOUND' });
    await expect(gateway.getGroup({ groupId: uplinkId })).rejects.toMatchObject({
      fieldViolations: [{ field: 'group_id' }],
    });
  }, 30_000);
});
