import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { srtla } from '@mediaplane/proto';
import { THREAD_METRICS, prometheusName } from '@mediaplane/service';
import { freePort, tempFolder, TestProcess } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { SRTLA_GATEWAY_METRICS } from '../src/metrics.ts';
import { Follower } from './support/follower.ts';
import { fixedTo, startInstance } from './support/instance.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const { GroupState, GroupView, EndReason } = srtla;
const PACKETS = 1500;
const LINKS = 2;
const LATENCY_MS = 2000;

const BUILT_SENDER = fileURLToPath(new URL('../dist/send/main.js', import.meta.url));

test('the sender on its own starts as it was built, too', async () => {
  await using folder = await tempFolder('built-sender');
  const links = join(folder.path, 'links.txt');
  await writeFile(links, '127.0.0.2\n');
  const args = ['--to', '127.0.0.1:9', '--links', links, '--listen', '0', '--json'];
  await using sender = await TestProcess.startNode(BUILT_SENDER, { name: 'srtla-send', args });
  await sender.waitForJson(({ type }) => type === 'started');
});

test('an uplink that fits into no instance is told why, also where placement was to choose', async () => {
  await using folder = await tempFolder('gateway');
  await using instance = await startInstance(folder.path, { MEDIAPLANE_MEMORY_ARENA_BYTES: '4194304' });
  const settings = { name: 'van', receiverHost: '127.0.0.1', receiverPort: 9, maxBitrateBps: 1_000_000_000 };
  for (const instanceId of ['', instance.instanceId]) {
    await expect(instance.gateway.createUplink({ settings, instanceId })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'UPLINK_MEMORY_EXHAUSTED',
    });
  }
});

describeIf('srt-live-transmit', 'srtla-gateway', (programs) => {
  const program = programs['srt-live-transmit'];

  test('a stream from the first link to the end, as the API tells it', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder('gateway'));
    const { gateway, instanceId, adminAddress } = stack.use(await startInstance(folder.path));
    const serverPort = await freePort();
    const { listener } = await gateway.createListener({
      settings: { name: 'main', ingest: fixedTo(serverPort), labels: { show: 'news' } },
    });
    expect(listener).toMatchObject({ instanceId, configured: false, settings: { interface: 'default' } });
    const follower = stack.use(new Follower((signal) => gateway.watchGroups({ withStatistics: true }, { signal })));
    await follower.until(({ item }) => (item?.$case === 'snapshotEnd' ? item.value : undefined));

    const sender = stack.use(await PlainSender.start(listener?.address?.port ?? 0, LINKS));
    const { group: registered } = await follower.event('groupUp');
    expect(registered).toMatchObject({ state: GroupState.REGISTERED, listenerName: 'main', labels: { show: 'news' } });
    const settings = { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '' };
    const chain = await SrtChain.start(settings, stack);
    const { group: streaming } = await follower.event('groupStreaming');
    expect(streaming).toMatchObject({ state: GroupState.STREAMING, streamName: 'main', latencyMs: LATENCY_MS });
    expect(streaming?.upstream?.port).toBeGreaterThanOrEqual(30_000);
    await chain.stream(0, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);

    const { groups } = await gateway.listGroups({ filter: 'labels.show = "news"' });
    expect(groups).toHaveLength(1);
    expect(groups[0].links).toHaveLength(LINKS);
    const { groupId } = groups[0];
    const { group } = await gateway.getGroup({ groupId, view: GroupView.STATS });
    expect(group?.statistics?.packets).toBeGreaterThanOrEqual(PACKETS);
    expect(group?.statistics?.links).toHaveLength(LINKS);
    const sample = await follower.until(({ item }) =>
      item?.$case === 'statistics' && (item.value.statistics?.bitrateBps ?? 0) > 1e6 ? item.value : undefined,
    );
    expect(sample).toMatchObject({
      groupId,
      streamName: 'main',
      latencyMs: LATENCY_MS,
      streamTime: streaming?.streamTime,
    });
    expect(sample.statistics?.links.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);

    const metrics = await fetch(`http://${adminAddress}/metrics`).then((response) => response.text());
    for (const metric of [SRTLA_GATEWAY_METRICS, THREAD_METRICS].flatMap((each) => Object.values(each))) {
      // Of what has not happened there is no point yet.
      if (metric.kind !== 'histogram') expect(metrics).toContain(`# TYPE ${prometheusName(metric)} `);
    }
    expect(metrics).toMatch(/media_srtla_packets_total(\{[^}]*\})? [1-9]/);
    expect(metrics).toMatch(/media_thread_datagrams_total\{[^}]*\} [1-9]/);
    expect(metrics).toMatch(/media_srtla_dropped_total\{[^}]*"oversized"[^}]*\} 0/);
    expect(metrics).not.toContain(groupId);

    const kicked = await gateway.kickGroup({ groupId, reasonText: 'off the air' });
    expect(kicked.group?.state).toBe(GroupState.ENDED);
    expect(await follower.event('groupDown')).toMatchObject({ reason: EndReason.REQUESTED, reasonText: 'off the air' });
    await expect(gateway.getGroup({ groupId })).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'GROUP_NOT_FOUND' });

    const listenerId = listener?.listenerId ?? '';
    await gateway.deleteListener({ listenerId });
    expect((await gateway.listListeners({})).listeners).toEqual([]);
    const sequences = follower.events.filter(({ sessionId }) => sessionId === groupId).map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
  }, 60_000);
});
