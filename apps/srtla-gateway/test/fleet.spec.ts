import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { freePort } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { Fleet } from './support/fleet.ts';
import { Follower } from './support/follower.ts';
import { fixedTo } from './support/instance.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const { EndReason, GroupState } = srtla;
const LATENCY_MS = 4000;
const PACKETS = 1000;
/** So that a loss is soon known. */
const LEASE = { MEDIAPLANE_LEASE_TTL_MS: '3000' };

describeIf(['srt-live-transmit', 'nats-server'], 'a fleet of three', (programs) => {
  const program = programs['srt-live-transmit'];

  async function stage(stack: AsyncDisposableStack) {
    const serverPort = await freePort();
    const fleet = await Fleet.start({ instances: 3, serverPort, relay: false, env: LEASE }, stack);
    // By an instance that lives on.
    const follower = stack.use(new Follower((signal) => fleet.instances[2].gateway.watchGroups({}, { signal })));
    await follower.until(({ item }) => (item?.$case === 'snapshotEnd' ? item.value : undefined));
    return { fleet, follower, serverPort };
  }

  async function streamTo(node: number, fleet: Fleet, serverPort: number, stack: AsyncDisposableStack) {
    const sender = stack.use(await PlainSender.start(fleet.ports[node], 2));
    const settings = { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '' };
    return SrtChain.start(settings, stack);
  }

  /** Of every id that has ended: its last events, which are one, and nothing comes after it. */
  function endings({ events }: Follower): Map<string, srtla.EndReason> {
    const ended = new Map<string, srtla.EndReason>();
    for (const { sessionId, detail } of events) {
      expect(ended.has(sessionId)).toBe(false);
      if (detail?.$case === 'groupDown' || detail?.$case === 'listenerClosed') {
        ended.set(sessionId, detail.value.reason);
      }
    }
    return ended;
  }

  test('a listener is where it was asked for, and any instance answers for it', async () => {
    await using stack = new AsyncDisposableStack();
    const { fleet } = await stage(stack);
    const [a, b, c] = fleet.instances;
    // What an instance knows of others it knows from the bus, in a moment.
    const owners = async () => (await a.gateway.listListeners({})).listeners.map(({ instanceId }) => instanceId);
    while ((await owners()).length < 3) await setTimeout(20);
    expect((await owners()).sort()).toEqual(fleet.instances.map(({ instanceId }) => instanceId).sort());
    const settings = { name: 'pinned', ingest: fixedTo(5000) };
    const request = { requestId: 'once', instanceId: b.instanceId, settings };
    const { listener } = await a.gateway.createListener(request);
    expect(listener?.instanceId).toBe(b.instanceId);
    expect((await c.gateway.createListener(request)).listener?.listenerId).toBe(listener?.listenerId);
    const unknown = { instanceId: 'nobody7', settings: { ...settings, name: 'elsewhere' } };
    await expect(a.gateway.createListener(unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    stack.use(await PlainSender.start(listener?.address?.port ?? 0, 1));
    const { groups } = await b.gateway.listGroups({ listenerId: listener?.listenerId ?? '' });
    expect(groups).toMatchObject([{ instanceId: b.instanceId, state: GroupState.REGISTERED }]);
    const { group } = await c.gateway.kickGroup({ groupId: groups[0].groupId });
    expect(group?.state).toBe(GroupState.ENDED);
    await c.gateway.deleteListener({ listenerId: listener?.listenerId ?? '' });
    expect((await b.gateway.listListeners({ filter: `instance_id = "${b.instanceId}"` })).listeners).toHaveLength(1);
  }, 90_000);

  test('an instance that is killed: survivors close what it had, once, and streams of others lose nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const { fleet, follower, serverPort } = await stage(stack);
    stack.use(await PlainSender.start(fleet.ports[0], 2));
    const chain = await streamTo(1, fleet, serverPort, stack);
    const lost = fleet.instances[0].instanceId;
    await fleet.instances[0].process.kill();
    await Promise.all([
      chain.stream(0, 4 * PACKETS),
      follower.until(({ item }) => {
        const closed = item?.$case === 'event' && item.value.detail?.$case === 'groupDown' ? item.value : undefined;
        return closed?.sessionId.includes(lost) ? closed : undefined;
      }),
      follower.event('listenerClosed'),
    ]);
    expect(await chain.missing(4 * PACKETS)).toEqual([]);
    const ended = endings(follower);
    expect([...ended.keys()].map((id) => id.includes(lost))).toEqual([true, true]);
    expect([...ended.values()]).toEqual([EndReason.INSTANCE_LOST, EndReason.INSTANCE_LOST]);
    expect((await fleet.instances[1].gateway.listGroups({})).groups).toHaveLength(1);
  }, 90_000);

  test('one that is killed and started again on its node takes its groups over: one group goes on, none twice', async () => {
    await using stack = new AsyncDisposableStack();
    const { fleet, follower, serverPort } = await stage(stack);
    const chain = await streamTo(0, fleet, serverPort, stack);
    const [{ groupId }] = await fleet.groupsOf(fleet.instances[0]);
    const restart = async (): Promise<void> => {
      await fleet.instances[0].process.kill();
      await fleet.startAgain(0);
    };
    await Promise.all([chain.stream(0, 4 * PACKETS), restart()]);
    expect(await chain.missing(4 * PACKETS)).toEqual([]);
    const formerClosed = follower.until(({ item }) => {
      const event = item?.$case === 'event' && item.value.sessionId === groupId ? item.value : undefined;
      return event?.detail?.$case === 'groupDown' ? event.detail.value : undefined;
    });
    expect((await formerClosed).reason).toBe(EndReason.INSTANCE_LOST);
    const ups = follower.events.flatMap(({ detail }) => (detail?.$case === 'groupUp' ? [detail.value] : []));
    expect(ups.filter(({ resumed }) => resumed)).toMatchObject([{ group: { formerGroupId: groupId } }]);
    const ended = endings(follower);
    expect(ended.has(ups.at(-1)?.group?.groupId ?? '')).toBe(false);
    const { groups } = await fleet.instances[1].gateway.listGroups({});
    expect(groups).toMatchObject([{ formerGroupId: groupId, instanceId: fleet.instances[0].instanceId }]);
    await chain.stream(4 * PACKETS, 5 * PACKETS);
    expect(await chain.missing(5 * PACKETS)).toEqual([]);
  }, 90_000);
});
