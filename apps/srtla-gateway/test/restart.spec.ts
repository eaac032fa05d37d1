import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { freePort, startNatsServer, tempFolder } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { Follower } from './support/follower.ts';
import { fixedTo, startInstance } from './support/instance.ts';
import type { Instance } from './support/instance.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const { GroupState } = srtla;
const LINKS = 2;
/** Longer than any start on a machine that has much else to do: what is lost then was lost for good. */
const LATENCY_MS = 4000;
const PACKETS = 1000;
const AWAY_MS = 4000;

interface Stage {
  instance: Instance;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly chain: SrtChain;
  readonly groupId: string;
  readonly upstream: srtla.Endpoint;
}

describeIf(['srt-live-transmit', 'nats-server'], 'srtla-gateway is started again in mid-stream', (programs) => {
  const program = programs['srt-live-transmit'];

  async function stage(stack: AsyncDisposableStack, env: Readonly<Record<string, string>>): Promise<Stage> {
    const folder = stack.use(await tempFolder('gateway'));
    const set = { instance: await startInstance(folder.path, env), folder: folder.path, env };
    stack.defer(async () => set.instance[Symbol.asyncDispose]());
    const serverPort = await freePort();
    const { gateway } = set.instance;
    const { listener } = await gateway.createListener({ settings: { name: 'main', ingest: fixedTo(serverPort) } });
    const sender = stack.use(await PlainSender.start(listener?.address?.port ?? 0, LINKS));
    const chain = await SrtChain.start(
      { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '' },
      stack,
    );
    const { groups } = await gateway.listGroups({});
    expect(groups).toMatchObject([{ state: GroupState.STREAMING }]);
    const [{ groupId, upstream }] = groups;
    return Object.assign(set, { chain, groupId, upstream: upstream ?? { address: '', port: 0 } });
  }

  /** Kills it without a word and starts another on the same node; resolves when that serves. */
  async function restart(running: Stage, between: () => Promise<void> = async () => undefined): Promise<void> {
    await running.instance.process.kill();
    await between();
    running.instance = await startInstance(running.folder, running.env);
  }

  async function streamOverRestart(stack: AsyncDisposableStack, env: Readonly<Record<string, string>>): Promise<void> {
    const running = await stage(stack, env);
    await running.chain.stream(0, PACKETS);
    await Promise.all([running.chain.stream(PACKETS, 4 * PACKETS), restart(running)]);
    expect(await running.chain.missing(4 * PACKETS)).toEqual([]);
    // The former group is listed until its instance is declared lost.
    const { groups } = await running.instance.gateway.listGroups({});
    const group = groups.find(({ formerGroupId }) => formerGroupId === running.groupId);
    expect(group).toMatchObject({ state: GroupState.STREAMING, upstream: running.upstream, latencyMs: LATENCY_MS });
    expect(group?.links).toHaveLength(LINKS);
  }

  test('on the bus inside the process: nothing is lost, senders and SRT session go on', async () => {
    await using stack = new AsyncDisposableStack();
    await streamOverRestart(stack, {});
  }, 60_000);

  test('on NATS: the same', async () => {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNatsServer());
    await streamOverRestart(stack, { MEDIAPLANE_BUS_NATS_URL: nats.url });
  }, 60_000);

  test('while NATS is away nothing is lost, and when it is back the next one takes over what is now', async () => {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNatsServer());
    const running = await stage(stack, { MEDIAPLANE_BUS_NATS_URL: nats.url });
    const outage = async (): Promise<void> => {
      await nats.halt('SIGKILL');
      await setTimeout(AWAY_MS);
      await nats.resume();
    };
    await Promise.all([running.chain.stream(0, 6 * PACKETS), outage()]);
    await Promise.all([running.chain.stream(6 * PACKETS, 9 * PACKETS), restart(running)]);
    expect(await running.chain.missing(9 * PACKETS)).toEqual([]);
  }, 60_000);

  test('in good order, as a new version is rolled out: the same', async () => {
    await using stack = new AsyncDisposableStack();
    const running = await stage(stack, {});
    const between = async (): Promise<void> => {
      await running.instance.process.stop();
      running.instance = await startInstance(running.folder, running.env);
    };
    await Promise.all([running.chain.stream(0, 3 * PACKETS), between()]);
    expect(await running.chain.missing(3 * PACKETS)).toEqual([]);
  }, 60_000);

  test('when its port towards the SRT server is taken meanwhile, the group has moved, and its stream comes anew', async () => {
    await using stack = new AsyncDisposableStack();
    const running = await stage(stack, {});
    const thief = createSocket('udp4');
    stack.defer(() => void thief.close());
    await restart(running, async () => {
      thief.bind(running.upstream.port, running.upstream.address);
      await once(thief, 'listening');
    });
    const follower = stack.use(new Follower((signal) => running.instance.gateway.watchGroups({}, { signal })));
    const group = await follower.until(({ item }) => (item?.$case === 'group' ? item.value : undefined));
    expect(group.formerGroupId).toBe(running.groupId);
    expect(group.upstream?.port).not.toBe(running.upstream.port);
    await running.instance.process.waitForJson((entry) => String(entry['msg']).startsWith('group moved'));
  }, 60_000);
});
